/// What may follow `is`.
struct Test: Sendable {
  typealias Body = @Sendable (Object, Arguments, Interpreter) throws(Failure) -> Bool
  let body: Body

  static func named(_ name: String) -> Test? { all[name].map(Test.init(body:)) }

  /// Fails once it is used.
  static func unknown(_ name: String) -> Test {
    Test { (_, _, _) throws(Failure) in throw Failure("there is no test '\(name)'") }
  }

  /// A test without arguments.
  private static func plain(_ name: String, _ body: @escaping @Sendable (Object) -> Bool) -> Body {
    { (value, arguments, _) throws(Failure) in
      try arguments.none(name)
      return body(value)
    }
  }

  private static func comparison(_ comparator: ComparisonOperator) -> Body {
    { (value, arguments, interpreter) throws(Failure) in
      let other = try arguments.bind(["other"], of: "the test '\(comparator.rawValue)'")[0].required("the other value")
      return try interpreter.compare(value, comparator, other)
    }
  }

  /// value % divisor == remainder
  private static func remainder(_ remainder: Int, by divisor: Int) -> Body {
    { (value, arguments, interpreter) throws(Failure) in
      try arguments.none("the test")
      return try interpreter.arithmetic(value, .modulo, .integer(divisor)) == .integer(remainder)
    }
  }

  private static let all: [String: Body] = [
    "defined": plain("defined") { !$0.isUndefined },
    "undefined": plain("undefined") { $0.isUndefined },
    "none": plain("none") { $0.isNone },
    "boolean": plain("boolean") { if case .boolean = $0 { true } else { false } },
    "true": plain("true") { if case .boolean(true) = $0 { true } else { false } },
    "false": plain("false") { if case .boolean(false) = $0 { true } else { false } },
    "integer": plain("integer") { if case .integer = $0 { true } else { false } },
    "float": plain("float") { if case .float = $0 { true } else { false } },
    "number": plain("number") { $0.number != nil },
    "string": plain("string") { $0.text != nil },
    "mapping": plain("mapping") { if case .dictionary = $0 { true } else { false } },
    "iterable": plain("iterable") {
      switch $0 {
      case .none, .boolean, .integer, .float: false
      case .host(let host): host is Loop
      default: true
      }
    },
    "sequence": plain("sequence") {
      switch $0 {
      case .string, .list, .tuple, .dictionary, .range, .undefined: true
      default: false
      }
    },
    "callable": plain("callable") {
      switch $0 {
      case .host(let host): !(host is Namespace || host is Cycler)
      case .undefined: true
      default: false
      }
    },
    "escaped": plain("escaped") { _ in false },
    "lower": { (value, arguments, interpreter) throws(Failure) in
      try arguments.none("lower")
      try interpreter.chargeText(value)
      return try interpreter.text(value).isLower
    },
    "upper": { (value, arguments, interpreter) throws(Failure) in
      try arguments.none("upper")
      try interpreter.chargeText(value)
      return try interpreter.text(value).isUpper
    },
    "odd": remainder(1, by: 2),
    "even": remainder(0, by: 2),
    "divisibleby": { (value, arguments, interpreter) throws(Failure) in
      let divisor = try arguments.bind(["num"], of: "divisibleby")[0].required("divisibleby: num")
      return try interpreter.arithmetic(value, .modulo, divisor) == .integer(0)
    },
    "sameas": { (value, arguments, _) throws(Failure) in
      isSame(value, try arguments.bind(["other"], of: "sameas")[0].required("sameas: other"))
    },
    "filter": { (value, arguments, interpreter) throws(Failure) in
      try arguments.none("filter")
      try interpreter.chargeText(value)
      try checkHashable(value)
      return value.text.map { Filter.named($0.string) != nil } ?? false
    },
    "test": { (value, arguments, interpreter) throws(Failure) in
      try arguments.none("test")
      try interpreter.chargeText(value)
      try checkHashable(value)
      return value.text.map { named($0.string) != nil } ?? false
    },
    "in": { (value, arguments, interpreter) throws(Failure) in
      try interpreter.contains(try arguments.bind(["seq"], of: "in")[0].required("in: seq"), value)
    },
    "==": comparison(.equal), "eq": comparison(.equal), "equalto": comparison(.equal),
    "!=": comparison(.notEqual), "ne": comparison(.notEqual),
    "<": comparison(.less), "lt": comparison(.less), "lessthan": comparison(.less),
    "<=": comparison(.lessOrEqual), "le": comparison(.lessOrEqual),
    ">": comparison(.greater), "gt": comparison(.greater), "greaterthan": comparison(.greater),
    ">=": comparison(.greaterOrEqual), "ge": comparison(.greaterOrEqual),
  ]

  private static func checkHashable(_ value: Object) throws(Failure) {
    guard value.isHashable else { throw Failure("unhashable type: '\(value.type)'") }
  }

  /// Python's `is`, of which only what does not depend on its memory is told: the same constant, number or object.
  private static func isSame(_ left: Object, _ right: Object) -> Bool {
    switch (left, right) {
    case (.none, .none): true
    case (.boolean(let a), .boolean(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.float(let a), .float(let b)): a == b
    case (.string(let a), .string(let b)): a == b
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)): a === b
    case (.dictionary(let a), .dictionary(let b)): a === b
    case (.host(let a), .host(let b)): a === b
    default: false
    }
  }
}
