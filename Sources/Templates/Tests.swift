/// The tests of `is`.
enum Tests {
  static func check(_ name: String, _ value: TemplateValue, _ arguments: CallArguments) throws -> Bool {
    func other() throws -> TemplateValue { try arguments.required(0, "other", of: "the test '\(name)'") }
    switch name {
    case "defined": return !value.isUndefined
    case "undefined": return value.isUndefined
    case "none":
      if case .none = value { return true }
      return false
    case "string":
      if case .string = value { return true }
      return false
    case "mapping":
      if case .dictionary = value { return true }
      return false
    case "boolean":
      if case .boolean = value { return true }
      return false
    case "integer":
      if case .integer = value { return true }
      return false
    case "float":
      if case .number = value { return true }
      return false
    case "true":
      if case .boolean(true) = value { return true }
      return false
    case "false":
      if case .boolean(false) = value { return true }
      return false
    case "callable":
      if case .function = value { return true }
      return false
    case "number": return value.asNumber != nil
    case "sequence", "iterable": return value.items != nil
    case "odd", "even":
      guard let integer = value.asInteger else { throw TemplateFailure("the test '\(name)' needs an integer") }
      return (integer % 2 != 0) == (name == "odd")
    case "divisibleby":
      guard let integer = value.asInteger, let divisor = try other().asInteger, divisor != 0 else {
        throw TemplateFailure("the test 'divisibleby' needs integers, the second not 0")
      }
      return divisor == -1 || integer % divisor == 0
    case "lower", "upper":
      let text = value.text
      let cased = text.contains { $0.isCased }
      return cased && text == (name == "lower" ? text.lowercased() : text.uppercased())
    case "in": return try other().contains(value)
    case "eq", "equalto", "==": return value == (try other())
    case "ne", "!=": return !(value == (try other()))
    case "lt", "lessthan", "<": return try Arithmetic.compare(.less, value, other())
    case "le", "<=": return try Arithmetic.compare(.lessOrEqual, value, other())
    case "gt", "greaterthan", ">": return try Arithmetic.compare(.greater, value, other())
    case "ge", ">=": return try Arithmetic.compare(.greaterOrEqual, value, other())
    case "sameas":
      switch (value, try other()) {
      case (.none, .none): return true
      case (.boolean(let a), .boolean(let b)): return a == b
      case (.integer(let a), .integer(let b)): return a == b
      case (.string(let a), .string(let b)): return a == b
      default: return false
      }
    case "filter": return Filters.exists(value.text)
    default: throw TemplateFailure("there is no test '\(name)'")
    }
  }
}
