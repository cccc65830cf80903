/// Python's html.unescape: "&lt;" is "<", "&#233;" is "é".
enum CharacterReferences {
  /// U+00A0 to U+00FF.
  private static let latin = """
    nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro \
    para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil \
    Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave \
    Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml \
    igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute \
    thorn yuml
    """

  /// The names that stand for a character also without a semicolon, which are all of that kind.
  private static let bare: [Text: Text] = {
    var names: [Text: Text] = [
      "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "AMP": "&", "LT": "<", "GT": ">", "QUOT": "\"",
      "COPY": "\u{A9}", "REG": "\u{AE}",
    ]
    for (name, value) in zip(latin.split(separator: " "), UInt32(0xA0)...0xFF) {
      names[Text(name)] = Unicode.Scalar(value).map { Text(scalars: [$0]) }
    }
    return names
  }()

  /// Names that need the semicolon, the usual ones of two thousand.
  private static let closed: [Text: Text] = [
    "apos": "'", "hellip": "…", "mdash": "—", "ndash": "–", "lsquo": "‘", "rsquo": "’", "ldquo": "“", "rdquo": "”",
    "bull": "•", "rarr": "→", "larr": "←", "uarr": "↑", "darr": "↓", "trade": "™", "euro": "€", "infin": "∞",
    "ne": "≠", "le": "≤", "ge": "≥", "minus": "−",
  ]

  /// U+0080 to U+009F are taken as Windows-1252 where it has a character there.
  private static let windows: [UInt32] = [
    0x20AC, 0x81, 0x201A, 0x192, 0x201E, 0x2026, 0x2020, 0x2021, 0x2C6, 0x2030, 0x160, 0x2039, 0x152, 0x8D, 0x17D, 0x8F,
    0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x2DC, 0x2122, 0x161, 0x203A, 0x153, 0x9D, 0x17E,
    0x178,
  ]

  /// - Throws: where a name with a semicolon is not one of those known here.
  static func replaced(in text: Text) throws(Failure) -> Text {
    let scalars = text.scalars
    var out = Text("")
    var position = 0
    while position < scalars.count {
      guard scalars[position] == "&" else {
        out.append(scalars[position])
        position += 1
        continue
      }
      let rest = scalars[(position + 1)...]
      if let (character, end) = numeric(rest) {
        if let character { out.append(character) }
        position = end
        continue
      }
      let name = rest.prefix(32).prefix { !"\t\n\u{C} <&#;".unicodeScalars.contains($0) }
      let isClosed = !name.isEmpty && name.endIndex < scalars.count && scalars[name.endIndex] == ";"
      out.append(try named(Text(scalars: name), isClosed: isClosed))
      position = isClosed ? name.endIndex + 1 : name.endIndex
    }
    return out
  }

  private static func named(_ name: Text, isClosed: Bool) throws(Failure) -> Text {
    if let character = bare[name] ?? (isClosed ? closed[name] : nil) { return character }
    if isClosed, name.count > 1, name.isASCII, name.isAll(\.isAlphanumeric) {
      throw Failure("striptags: the entity '&\(name.string);' is not supported in chat templates")
    }
    let end: Text = isClosed ? ";" : ""
    for length in stride(from: name.count, to: 1, by: -1) {
      if let character = bare[name.slice(0..<length)] {
        return character + name.slice(length..<name.count) + end
      }
    }
    return "&" + name + end
  }

  /// "#233;" or "#xE9;": the character, nil for one that falls away, and where the reference ends.
  private static func numeric(_ rest: ArraySlice<Unicode.Scalar>) -> (character: Unicode.Scalar?, end: Int)? {
    guard rest.first == "#" else { return nil }
    var digits = rest.dropFirst()
    let isHexadecimal = digits.first == "x" || digits.first == "X"
    if isHexadecimal { digits = digits.dropFirst() }
    let radix: UInt32 = isHexadecimal ? 16 : 10
    var value: UInt32 = 0
    let number = digits.prefix { $0.isASCII && Character($0).isHexDigit && (isHexadecimal || $0.isDecimal) }
    guard !number.isEmpty else { return nil }
    for digit in number {
      value = min(0x110000, value * radix + UInt32(Character(digit).hexDigitValue ?? 0))
    }
    let end = number.endIndex < rest.endIndex && rest[number.endIndex] == ";" ? number.endIndex + 1 : number.endIndex
    return (character(value), end)
  }

  private static func character(_ value: UInt32) -> Unicode.Scalar? {
    switch value {
    case 0: "\u{FFFD}"
    case 0x80...0x9F: Unicode.Scalar(windows[Int(value - 0x80)])
    case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0xFDD0...0xFDEF: nil
    case 0...0x10FFFF where value & 0xFFFE == 0xFFFE: nil
    default: Unicode.Scalar(value) ?? "\u{FFFD}"
    }
  }
}
