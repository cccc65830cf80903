/// Values as Python prints them.
extension TemplateValue {
  /// `str(value)`.
  var text: String {
    switch self {
    case .undefined: ""
    case .string(let string): string
    default: representation
    }
  }

  /// `repr(value)`.
  var representation: String {
    switch self {
    case .undefined: "Undefined"
    case .none: "None"
    case .boolean(let boolean): boolean ? "True" : "False"
    case .integer(let integer): String(integer)
    case .number(let number): Self.text(number)
    case .string(let string): Self.quoted(string)
    case .list(let items): "[" + items.map(\.representation).joined(separator: ", ") + "]"
    case .tuple(let items):
      "(" + items.map(\.representation).joined(separator: ", ") + (items.count == 1 ? ",)" : ")")
    case .dictionary(let dictionary):
      "{" + dictionary.entries.map { "\($0.representation): \($1.representation)" }.joined(separator: ", ") + "}"
    case .namespace(let namespace): "<Namespace \(TemplateValue.dictionary(namespace.attributes).representation)>"
    case .function(let function): "<function \(function.name)>"
    case .loop: "<LoopContext>"
    }
  }

  /// The shortest decimal that means the number; with an exponent below 1e-4 and from 1e16 on.
  static func text(_ number: Double) -> String {
    if number.isNaN { return "nan" }
    if number.isInfinite { return number < 0 ? "-inf" : "inf" }
    var (digits, exponent) = decimal(number.magnitude)
    let sign = number.sign == .minus ? "-" : ""
    if (-4..<16).contains(exponent) {
      if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
      if digits.count <= exponent + 1 { digits += String(repeating: "0", count: exponent + 2 - digits.count) }
      let point = digits.index(digits.startIndex, offsetBy: exponent + 1)
      return sign + digits[..<point] + "." + digits[point...]
    }
    let rest = digits.dropFirst()
    let magnitude = String(exponent.magnitude)
    return sign + digits.prefix(1) + (rest.isEmpty ? "" : "." + rest) + "e" + (exponent < 0 ? "-" : "+")
      + (magnitude.count < 2 ? "0" : "") + magnitude
  }

  /// The significant digits of a number that is not negative, and the power of ten of the first.
  private static func decimal(_ number: Double) -> (digits: String, exponent: Int) {
    if number == 0 { return ("0", 0) }
    let parts = number.description.split(separator: "e")
    var exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    var digits = mantissa.joined()
    exponent += mantissa[0].count - 1
    while digits.count > 1, digits.hasPrefix("0") {
      digits.removeFirst()
      exponent -= 1
    }
    while digits.count > 1, digits.hasSuffix("0") { digits.removeLast() }
    return (digits, exponent)
  }

  private static func quoted(_ string: String) -> String {
    let quote: Unicode.Scalar = string.contains("'") && !string.contains("\"") ? "\"" : "'"
    var text = String.UnicodeScalarView([quote])
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\n": text.append(contentsOf: "\\n".unicodeScalars)
      case "\r": text.append(contentsOf: "\\r".unicodeScalars)
      case "\t": text.append(contentsOf: "\\t".unicodeScalars)
      case "\\", quote:
        text.append("\\")
        text.append(scalar)
      default:
        if isPrintable(scalar) { text.append(scalar) } else { text.append(contentsOf: escape(scalar).unicodeScalars) }
      }
    }
    text.append(quote)
    return String(text)
  }

  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    case .spaceSeparator: scalar == " "
    default: true
    }
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    let (mark, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
    return "\\" + mark + String(repeating: "0", count: width - digits.count) + digits
  }
}
