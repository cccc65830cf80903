/// How one value is laid out: fill, sign, width, precision and type, of "%5.2f" and "{:>8}" alike.
struct FormatSpecification {
  enum Alignment { case left, right, center, afterSign }

  var fill: Unicode.Scalar = " "
  var alignment: Alignment?
  /// Shown before numbers that are not negative.
  var plus = ""
  /// 0x, 0o or 0b before the digits.
  var isAlternate = false
  /// What parts groups of three digits.
  var grouping = ""
  var width = 0
  var precision: Int?
  /// The type's letter, where there is one.
  var type: Unicode.Scalar?

  /// Numbers stand on the right, other values on the left, unless the specification says otherwise.
  func layOut(_ body: Text, sign: String = "", isNumber: Bool, _ interpreter: Interpreter) throws(Failure) -> Text {
    let missing = width - body.count - sign.utf8.count
    guard missing > 0 else { return Text(sign) + body }
    try interpreter.checkLength(width)
    try interpreter.charge(missing / 16)
    let alignment = alignment ?? (isNumber ? .right : .left)
    func padding(_ count: Int) -> Text { Text(repeating: Text(scalars: [fill]), count: count) }
    return switch alignment {
    case .left: Text(sign) + body + padding(missing)
    case .right: padding(missing) + Text(sign) + body
    case .center: padding(missing / 2) + Text(sign) + body + padding(missing - missing / 2)
    case .afterSign: Text(sign) + padding(missing) + body
    }
  }

  /// An integer by one of the types d, x, X, o, b, c, n.
  func integer(_ value: Int, _ interpreter: Interpreter) throws(Failure) -> Text {
    if type == "c" {
      guard let code = UInt32(exactly: value), let scalar = Unicode.Scalar(code) else {
        throw Failure("%c needs a code point, not \(value)")
      }
      return try layOut(Text(scalars: [scalar]), isNumber: false, interpreter)
    }
    let radix = type == "x" || type == "X" ? 16 : type == "o" ? 8 : type == "b" ? 2 : 10
    var digits = String(value.magnitude, radix: radix, uppercase: type == "X")
    if let precision, digits.utf8.count < precision {
      try interpreter.checkLength(precision)
      try interpreter.charge(precision / 16)
      digits = String(repeating: "0", count: precision - digits.utf8.count) + digits
    }
    if !grouping.isEmpty { digits = grouped(digits, by: radix == 10 ? 3 : 4) }
    let prefix = isAlternate && radix != 10 ? "0" + (type.map(String.init) ?? "") : ""
    return try layOut(
      Text(digits), sign: (value < 0 ? "-" : plus) + prefix, isNumber: true, interpreter)
  }

  /// A float by one of the types e, E, f, F, g, G, %, or as repr where there is none.
  func float(_ value: Double, _ interpreter: Interpreter) throws(Failure) -> Text {
    let magnitude = value.magnitude
    let precision = precision ?? 6
    guard precision <= 1000 else { throw Failure("a precision of more than 1000 digits") }
    var body: String
    if !value.isFinite {
      body = value.isNaN ? "nan" : "inf"
      if type == "E" || type == "F" || type == "G" { body = body.uppercased() }
    } else {
      switch type {
      case "f", "F": body = Python.fixed(magnitude, digits: precision)
      case "%": body = Python.fixed(magnitude * 100, digits: precision) + "%"
      case "e": body = Python.printed(magnitude, "%.\(precision)e")
      case "E": body = Python.printed(magnitude, "%.\(precision)E")
      case "G": body = Python.printed(magnitude, isAlternate ? "%#.\(precision)G" : "%.\(precision)G")
      case "g", "n": body = Python.printed(magnitude, isAlternate ? "%#.\(precision)g" : "%.\(precision)g")
      default:
        if self.precision != nil {
          body = Python.printed(magnitude, "%.\(max(precision, 1))g")
          if !body.contains("."), !body.contains("e") { body += ".0" }
        } else {
          body = Python.repr(magnitude)
        }
      }
    }
    if !grouping.isEmpty {
      let whole = body.prefix { $0.isNumber }
      body = grouped(String(whole), by: 3) + body.dropFirst(whole.count)
    }
    return try layOut(Text(body), sign: value.sign == .minus && !value.isNaN ? "-" : plus, isNumber: true, interpreter)
  }

  private func grouped(_ digits: String, by size: Int) -> String {
    var out = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % size == 0 { out += grouping }
      out.append(digit)
    }
    return out
  }

  /// A string, cut to the precision.
  func string(_ text: Text, _ interpreter: Interpreter) throws(Failure) -> Text {
    try interpreter.charge(text.bytes.count / 16)
    let cut = precision.map { $0 < text.count ? text.slice(0..<$0) : text } ?? text
    return try layOut(cut, isNumber: false, interpreter)
  }
}
