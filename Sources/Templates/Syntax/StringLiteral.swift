/// The escapes of Python's string literals.
enum StringLiteral {
  /// - Parameter body: what stands between the quotes.
  static func text(_ body: ArraySlice<Unicode.Scalar>, line: Int) throws(Failure) -> Text {
    guard body.contains("\\") else { return Text(scalars: body) }
    var text = Text("")
    var index = body.startIndex
    while index < body.endIndex {
      let scalar = body[index]
      index += 1
      guard scalar == "\\", index < body.endIndex else {
        text.append(scalar)
        continue
      }
      let escape = body[index]
      index += 1
      switch escape {
      case "\n": break
      case "\\", "'", "\"": text.append(escape)
      case "a": text.append("\u{07}" as Unicode.Scalar)
      case "b": text.append("\u{08}" as Unicode.Scalar)
      case "f": text.append("\u{0C}" as Unicode.Scalar)
      case "n": text.append("\n" as Unicode.Scalar)
      case "r": text.append("\r" as Unicode.Scalar)
      case "t": text.append("\t" as Unicode.Scalar)
      case "v": text.append("\u{0B}" as Unicode.Scalar)
      case "0"..."7":
        var value = escape.value - 0x30
        var digits = 1
        while digits < 3, index < body.endIndex, ("0"..."7").contains(body[index]) {
          value = value * 8 + body[index].value - 0x30
          index += 1
          digits += 1
        }
        text.append(Unicode.Scalar(value) ?? "\u{FFFD}")
      case "x", "u", "U":
        let count = escape == "x" ? 2 : escape == "u" ? 4 : 8
        var scalar = try hexadecimal(body, at: &index, count: count, line: line)
        // Two escapes of a surrogate pair make one code point; a lone one has no UTF-8 form.
        if (0xD800..<0xDC00).contains(scalar), body[index...].starts(with: ["\\", "u"]) {
          var next = index + 2
          let low = try hexadecimal(body, at: &next, count: 4, line: line)
          if (0xDC00..<0xE000).contains(low) {
            scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
            index = next
          }
        }
        text.append(Unicode.Scalar(scalar) ?? "\u{FFFD}")
      case "N": throw Failure("\\N{…} in a string is not supported", line: line)
      default:
        text.append("\\" as Unicode.Scalar)
        text.append(escape)
      }
    }
    return text
  }

  private static func hexadecimal(
    _ body: ArraySlice<Unicode.Scalar>, at index: inout Int, count: Int, line: Int
  ) throws(Failure) -> UInt32 {
    guard body.endIndex - index >= count,
      body[index..<index + count].allSatisfy({ $0.isASCII && $0.properties.isASCIIHexDigit }),
      let value = UInt32(String(String.UnicodeScalarView(body[index..<index + count])), radix: 16), value <= 0x10FFFF
    else { throw Failure("expected \(count) hexadecimal digits in a string's escape", line: line) }
    index += count
    return value
  }
}
