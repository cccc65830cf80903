import Foundation

/// Filters of single values: numbers, defaults, attributes, JSON.
extension Filter {
  static let valueFilters: [String: Body] = [
    "default": byDefault, "d": byDefault,
    "abs": taking("abs", []) { (value, _, interpreter) throws(Failure) in
      if case .undefined(let reason) = value { throw Failure(reason) }
      if case .float(let number) = value { return .float(number.magnitude) }
      guard let number = value.integer else { throw Failure("bad operand type for abs(): '\(value.type)'") }
      return number < 0 ? try interpreter.negated(value) : .integer(number)
    },
    "int": taking("int", ["default", "base"]) { (value, arguments, _) throws(Failure) in
      let otherwise = arguments[0] ?? .integer(0)
      switch value {
      case .undefined(let reason): throw Failure(reason)
      case .string(let text):
        let base = arguments[1] ?? .integer(10)
        if let base = base.integer, let integer = try Python.integer(text, base: base) { return .integer(integer) }
        guard let number = Python.float(text), number.isFinite else { return otherwise }
        return .integer(try Python.integer(number))
      case .float(let number): return number.isFinite ? .integer(try Python.integer(number)) : otherwise
      default: return value.integer.map { .integer($0) } ?? otherwise
      }
    },
    "float": taking("float", ["default"]) { (value, arguments, _) throws(Failure) in
      if case .undefined(let reason) = value { throw Failure(reason) }
      let number = if let text = value.text { Python.float(text) } else { value.number }
      return number.map { .float($0) } ?? arguments[0] ?? .float(0)
    },
    "round": taking("round", ["precision", "method"]) { (value, arguments, _) throws(Failure) in
      if case .undefined(let reason) = value { throw Failure(reason) }
      let digits = try arguments[0].integer("round: precision", default: 0)
      let method = try arguments[1].text("round: method", default: "common")
      guard ["common", "ceil", "floor"].contains(method) else { throw Failure("method must be common, ceil or floor") }
      guard let number = value.number else { throw Failure("'\(value.type)' cannot be rounded") }
      if method == "common" {
        guard let integer = value.integer else { return .float(Python.rounded(number, digits: digits)) }
        guard digits < 0 else { return .integer(integer) }
        return .integer(try Python.integer(Python.rounded(number, digits: digits)))
      }
      let unit = pow(10, Double(digits))
      let scaled = method == "ceil" ? ceil(number * unit) : floor(number * unit)
      return .float(scaled / unit)
    },
    "string": taking("string", []) { (value, _, interpreter) throws(Failure) in .string(try interpreter.text(value)) },
    "safe": taking("safe", []) { (value, _, interpreter) throws(Failure) in .string(try interpreter.text(value)) },
    "attr": taking("attr", ["name"]) { (value, arguments, interpreter) throws(Failure) in
      let name = try arguments[0].text("attr: name")
      return try interpreter.directAttribute(name, of: value)
        ?? .undefined("'\(value.type) object' has no attribute '\(name.string)'")
    },
    "tojson": taking(
      "tojson", ["ensure_ascii", "indent", "separators", "sort_keys"]
    ) { (value, arguments, interpreter) throws(Failure) in
      .string(
        try JSONWriter.text(
          value, ensureASCII: arguments[0].isTrue(default: false), indent: try indent(arguments[1], interpreter),
          separators: try separators(arguments[2], interpreter), sortsKeys: arguments[3].isTrue(default: false),
          interpreter))
    },
    "filesizeformat": taking("filesizeformat", ["binary"]) { (value, arguments, _) throws(Failure) in
      let number = if let text = value.text { Python.float(text) } else { value.number }
      guard let number else { throw Failure("filesizeformat: '\(value.type)' is not a number") }
      return .string(try fileSize(number, isBinary: arguments[0].isTrue(default: false)))
    },
  ]

  private static let byDefault = taking("default", ["default_value", "boolean"]) {
    (value, arguments, _) throws(Failure) in
    let isAbsent = value.isUndefined || (arguments[1].isTrue(default: false) && !value.isTrue)
    return isAbsent ? arguments[0] ?? .string("") : value
  }

  /// json.dumps's indent: a number of spaces, or the text itself.
  private static func indent(_ value: Object?, _ interpreter: Interpreter) throws(Failure) -> Text? {
    switch value {
    case nil, .some(.none): return nil
    case .string(let text)?: return text
    case let value:
      let count = max(0, try value.integer("tojson: indent"))
      return try Methods.padded("", left: count, right: 0, " ", interpreter)
    }
  }

  private static func separators(_ value: Object?, _ interpreter: Interpreter) throws(Failure) -> (Text, Text)? {
    guard let value else { return nil }
    if case .none = value { return nil }
    let parts = try interpreter.elements(value)
    guard parts.count == 2 else { throw Failure("tojson: separators must be two strings") }
    return (try Optional(parts[0]).text("tojson: separators"), try Optional(parts[1]).text("tojson: separators"))
  }

  private static func fileSize(_ bytes: Double, isBinary: Bool) throws(Failure) -> Text {
    let base: Double = isBinary ? 1024 : 1000
    if bytes == 1 { return "1 Byte" }
    if bytes < base { return Text("\(try Python.integer(bytes)) Bytes") }
    let units = ["k", "M", "G", "T", "P", "E", "Z", "Y"]
    var unit = base
    var place = 0
    while place + 1 < units.count, bytes >= unit * base {
      unit *= base
      place += 1
    }
    let prefix = isBinary ? units[place].uppercased() + "iB" : units[place] + "B"
    return Text(Python.fixed(bytes / unit, digits: 1) + " " + prefix)
  }
}
