/// Python's letters: case, white space and what repr shows as it is.
extension Unicode.Scalar {
  /// str.isspace
  var isSpace: Bool {
    switch value {
    case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
    default: false
    }
  }

  /// Where str.splitlines cuts.
  var isLineBreak: Bool {
    switch value {
    case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
    default: false
    }
  }

  /// \w of a regular expression: a letter, a digit or an underscore.
  var isWord: Bool { self == "_" || isAlphanumeric }

  /// str.isalpha
  var isAlphabetic: Bool {
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }

  /// str.isalnum
  var isAlphanumeric: Bool { isAlphabetic || properties.numericType != nil }

  /// str.isdecimal
  var isDecimal: Bool { properties.numericType == .decimal }

  /// str.isdigit
  var isDigit: Bool { properties.numericType == .decimal || properties.numericType == .digit }

  /// Lower, upper or title case: what case tests look at.
  var isCased: Bool { properties.isCased }

  var isUpper: Bool { properties.isUppercase }
  var isLower: Bool { properties.isLowercase }
  var isTitle: Bool { properties.generalCategory == .titlecaseLetter }

  /// str.isprintable
  var isPrintable: Bool {
    if value < 0x7F { return value >= 0x20 }
    return switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
      .spaceSeparator:
      false
    default: true
    }
  }
}

extension Text {
  var uppercased: Text { mapped { $0.properties.uppercaseMapping } }

  var lowercased: Text {
    let scalars = scalars
    guard scalars.contains("\u{3A3}") else { return mapped { $0.properties.lowercaseMapping } }
    var text = Text("")
    for index in scalars.indices { text.append(Text(Text.lowercase(scalars, index))) }
    return text
  }

  /// One code point of a text in lower case: a capital sigma at the end of a word becomes ς, as in Python.
  private static func lowercase(_ scalars: [Unicode.Scalar], _ index: Int) -> String {
    guard scalars[index] == "\u{3A3}" else { return scalars[index].properties.lowercaseMapping }
    func isCased(_ scalar: Unicode.Scalar) -> Bool? { scalar.properties.isCaseIgnorable ? nil : scalar.isCased }
    let before = scalars[..<index].reversed().lazy.compactMap(isCased).first ?? false
    let after = scalars[(index + 1)...].lazy.compactMap(isCased).first ?? false
    return before && !after ? "\u{3C2}" : "\u{3C3}"
  }

  /// The first code point in title case, the others lower.
  var capitalized: Text {
    let scalars = scalars
    guard let first = scalars.first else { return self }
    return scalars.indices.dropFirst().reduce(into: Text(first.properties.titlecaseMapping)) {
      $0.append(Text(Text.lowercase(scalars, $1)))
    }
  }

  /// str.title: each run of cased letters begins with title case.
  var titled: Text {
    let scalars = scalars
    var text = Text("")
    var isInside = false
    for (index, scalar) in scalars.enumerated() {
      text.append(Text(isInside ? Text.lowercase(scalars, index) : scalar.properties.titlecaseMapping))
      isInside = scalar.isCased
    }
    return text
  }

  /// str.casefold. Cherokee folds to capitals, ı to itself, ẞ as ß does.
  var caseFolded: Text {
    mapped { scalar in
      switch scalar.value {
      case 0x131: String(scalar)
      case 0x1E9E: "ss"
      case 0x13A0...0x13FD, 0xAB70...0xABBF: scalar.properties.uppercaseMapping
      default: scalar.properties.uppercaseMapping.unicodeScalars.map(\.properties.lowercaseMapping).joined()
      }
    }
  }

  var swappedCase: Text {
    let scalars = scalars
    var text = Text("")
    for (index, scalar) in scalars.enumerated() {
      text.append(
        Text(
          scalar.isUpper
            ? Text.lowercase(scalars, index) : scalar.isLower ? scalar.properties.uppercaseMapping : String(scalar)))
    }
    return text
  }

  /// str.islower: some cased letter, and none upper or title.
  var isLower: Bool {
    string.unicodeScalars.contains(where: \.isLower) && !scalars.contains { $0.isUpper || $0.isTitle }
  }
  var isUpper: Bool {
    string.unicodeScalars.contains(where: \.isUpper) && !scalars.contains { $0.isLower || $0.isTitle }
  }

  /// str.istitle: upper case only at the start of runs of cased letters, and everywhere there.
  var isTitle: Bool {
    var isInside = false
    var found = false
    for scalar in scalars {
      if scalar.isUpper || scalar.isTitle {
        if isInside { return false }
        isInside = true
        found = true
      } else if scalar.isLower {
        if !isInside { return false }
      } else {
        isInside = false
      }
    }
    return found
  }

  /// Whether there is a code point and all satisfy `predicate`.
  func isAll(_ predicate: (Unicode.Scalar) -> Bool) -> Bool { !isEmpty && string.unicodeScalars.allSatisfy(predicate) }

  private func mapped(_ mapping: (Unicode.Scalar) -> String) -> Text {
    var text = Text("")
    for scalar in string.unicodeScalars { text.append(Text(mapping(scalar))) }
    return text
  }
}
