/// One option: its name, type, default, range and words, declared once. Validation, messages and the reference page
/// are all derived from it.
public struct OptionDeclaration {
  /// As the user writes it.
  public let name: String
  /// What it may hold.
  public let type: OptionType
  /// Taken where the option is not given; checked like a value that is given. Without one the option stays absent.
  public let `default`: Value?
  /// What it does, in words: for the reference page.
  public let description: String
  /// Bounds, both inclusive, on a number or on each number of an array.
  public let minimum: Double?
  public let maximum: Double?
  /// The only values allowed, where not empty.
  public let choices: [Value]
  /// Whether leaving the option out is an error.
  public let required: Bool

  /// - Parameters:
  ///   - minimum, maximum: of a number, themselves allowed.
  ///   - choices: the values that are allowed; empty: all.
  public init(
    _ name: String, _ type: OptionType, default: Value? = nil, _ description: String, minimum: Double? = nil,
    maximum: Double? = nil, choices: [Value] = [], required: Bool = false
  ) {
    self.name = name
    self.type = type
    self.default = `default`
    self.description = description
    self.minimum = minimum
    self.maximum = maximum
    self.choices = choices
    self.required = required
  }
}

/// What an option may hold. Numbers are finite, and never read from strings.
public indirect enum OptionType {
  case number
  /// An integer, or a number without a fraction, which becomes one.
  case integer
  case boolean
  case string
  /// An array whose elements have one type, of a fixed length where `count` is given.
  case array(of: OptionType = .any, count: Int? = nil)
  /// A table with any keys.
  case table
  /// A number, or a host object that gives one for each step.
  case schedule
  /// A host object, named in words for messages: "a model", "a function".
  case object(String)
  /// Any of several types; an error speaks of the first whose kind fits.
  case oneOf([OptionType])
  /// A table with options of its own.
  case nested(OptionSchema)
  case any

  /// The type in words, for messages: "an integer", "an array of 2 numbers".
  public var words: String {
    switch self {
    case .number: "a number"
    case .integer: "an integer"
    case .boolean: "true or false"
    case .string: "a string"
    case .array(of: .any, let count): count.map { "an array of \($0) elements" } ?? "an array"
    case .array(let element, let count):
      "an array of \(count.map { "\($0) elements" } ?? "elements"), each \(element.words)"
    case .table, .nested: "a table"
    case .schedule: "a number or a schedule"
    case .object(let words): words
    case .oneOf(let types): types.map(\.words).joined(separator: " or ")
    case .any: "a value"
    }
  }
}

/// The options that one function, method or plugin takes.
public struct OptionSchema {
  /// Whose options these are, as messages name it: "grao.train".
  public let owner: String
  /// In the order of the reference page.
  public let declarations: [OptionDeclaration]

  /// - Parameter owner: whose options these are, for messages: "grao.train".
  public init(owner: String, _ declarations: [OptionDeclaration]) {
    self.owner = owner
    self.declarations = declarations
  }

  /// The options in the order of their declarations, with defaults filled in, or an error that names the option and
  /// what was expected. A null value is as if it were not given.
  public func validate(_ table: Table) throws(GRAOError) -> Table {
    try validate(table, owner: owner, path: "")
  }

  /// `validate`, as a reader with typed access.
  public func read(_ table: Table) throws(GRAOError) -> OptionReader {
    OptionReader(owner: owner, table: try validate(table))
  }

  private func validate(_ table: Table, owner: String, path: String) throws(GRAOError) -> Table {
    for key in table.keys where !declarations.contains(where: { $0.name == key }) {
      throw GRAOError("\(owner): unknown option '\(path)\(key)'\(suggestion(for: key))")
    }
    var result = Table()
    for declaration in declarations {
      let check = Check(owner: owner, declaration: declaration)
      let given = table[declaration.name]?.unlessNull ?? declaration.default
      if let given {
        result[declaration.name] = try check.value(given, declaration.type, at: path + declaration.name)
      } else if declaration.required {
        throw GRAOError(
          "\(owner): option '\(path)\(declaration.name)' is missing: \(declaration.type.words) is required")
      }
    }
    return result
  }

  private func suggestion(for key: String) -> String {
    let names = declarations.map(\.name)
    if let near = Spelling.nearest(to: key, among: names) { return " (did you mean '\(near)'?)" }
    return names.isEmpty ? "; there are no options" : "; the options are \(names.joined(separator: ", "))"
  }

  private struct Check {
    let owner: String
    let declaration: OptionDeclaration

    func failure(_ path: String, _ expected: String, _ value: Value) -> GRAOError {
      GRAOError("\(owner): option '\(path)' must be \(expected), not \(describe(value))")
    }

    /// The value as the option takes it, or an error.
    func value(_ value: Value, _ type: OptionType, at path: String) throws(GRAOError) -> Value {
      let typed = try self.typed(value, type, at: path)
      if !declaration.choices.isEmpty, !declaration.choices.contains(typed) {
        throw failure(path, "one of \(declaration.choices.map(describe).joined(separator: ", "))", typed)
      }
      return typed
    }

    private func typed(_ value: Value, _ type: OptionType, at path: String) throws(GRAOError) -> Value {
      switch type {
      case .any: return value
      case .number, .schedule:
        if case .schedule = type, case .object = value { return value }
        guard let number = value.number else { throw failure(path, type.words, value) }
        guard number.isFinite else { throw failure(path, "a finite number", value) }
        try checkRange(number, value, at: path)
        return value
      case .integer:
        guard let integer = value.integer else { throw failure(path, type.words, value) }
        try checkRange(Double(integer), value, at: path)
        return .integer(integer)
      case .boolean:
        guard case .boolean = value else { throw failure(path, type.words, value) }
        return value
      case .string:
        guard case .string = value else { throw failure(path, type.words, value) }
        return value
      case .array(let element, let count):
        guard let elements = Self.elements(of: value) else { throw failure(path, type.words, value) }
        if let count, elements.count != count {
          throw GRAOError("\(owner): option '\(path)' must have \(count) elements, not \(elements.count)")
        }
        var checked: [Value] = []
        checked.reserveCapacity(elements.count)
        for (index, value) in elements.enumerated() {
          checked.append(try typed(value, element, at: "\(path)[\(index + 1)]"))
        }
        return .array(checked)
      case .table:
        guard let table = Self.table(of: value) else { throw failure(path, type.words, value) }
        return .table(table)
      case .object:
        guard case .object = value else { throw failure(path, type.words, value) }
        return value
      case .oneOf(let types):
        let fitting = types.first { Self.fits(value, $0) }
        guard let fitting else { throw failure(path, type.words, value) }
        return try typed(value, fitting, at: path)
      case .nested(let schema):
        guard let table = Self.table(of: value) else { throw failure(path, type.words, value) }
        return .table(try schema.validate(table, owner: owner, path: path + "."))
      }
    }

    private func checkRange(_ number: Double, _ value: Value, at path: String) throws(GRAOError) {
      let (low, high) = (declaration.minimum, declaration.maximum)
      guard number < low ?? -.infinity || number > high ?? .infinity else { return }
      switch (low, high) {
      case (let low?, let high?): throw failure(path, "between \(plain(low)) and \(plain(high))", value)
      case (let low?, nil): throw failure(path, "at least \(plain(low))", value)
      default: throw failure(path, "at most \(plain(high ?? .infinity))", value)
      }
    }

    /// Whether a value is of this type's kind: which alternative of `oneOf` its errors should speak of.
    private static func fits(_ value: Value, _ type: OptionType) -> Bool {
      switch type {
      case .any: true
      case .number: value.number != nil
      case .schedule: value.number != nil || value.object != nil
      case .integer: value.integer != nil
      case .boolean: value.boolean != nil
      case .string: value.string != nil
      case .array: elements(of: value) != nil
      case .table, .nested: table(of: value) != nil
      case .object: value.object != nil
      case .oneOf(let types): types.contains { fits(value, $0) }
      }
    }

    // A script's empty table is an empty array as well.
    private static func elements(of value: Value) -> [Value]? {
      if case .table(let table) = value, table.isEmpty { return [] }
      return value.array
    }

    private static func table(of value: Value) -> Table? {
      if case .array(let elements) = value, elements.isEmpty { return Table() }
      return value.table
    }

    private func describe(_ value: Value) -> String {
      switch value {
      case .integer(let value): "\(value)"
      case .number(let value): plain(value)
      case .boolean(let value): "\(value)"
      case .string(let value) where !declaration.choices.isEmpty: "'\(value)'"
      default: value.kind
      }
    }
  }
}

/// A number as people write it: without a point where it is whole.
func plain(_ number: Double) -> String { Int(exactly: number).map(String.init) ?? "\(number)" }

extension OptionSchema {
  /// A schema that a plugin declares as a table: name → `{ type =, default =, description =, min =, max =, choices =,
  /// required = }`, `type` one of "number", "integer", "boolean", "string", "table", "array". Defaults are checked.
  public init(owner: String, declared table: Table) throws(GRAOError) {
    let types: [(name: String, type: OptionType)] = [
      ("number", .number), ("integer", .integer), ("boolean", .boolean), ("string", .string), ("table", .table),
      ("array", .array()),
    ]
    var declarations: [OptionDeclaration] = []
    for (name, value) in table {
      guard let keys = value.table else {
        throw GRAOError("\(owner): the declaration of option '\(name)' must be a table, not \(value.kind)")
      }
      let schema = OptionSchema(
        owner: "\(owner): declaration of option '\(name)'",
        [
          OptionDeclaration(
            "type", .string, "what the option holds", choices: types.map { .string($0.name) }, required: true),
          OptionDeclaration("default", .any, "the value where none is given"),
          OptionDeclaration("description", .string, default: "", "what the option does"),
          OptionDeclaration("min", .number, "the least value"),
          OptionDeclaration("max", .number, "the greatest value"),
          OptionDeclaration("choices", .array(), default: [], "the only values allowed"),
          OptionDeclaration("required", .boolean, default: false, "whether the option must be given"),
        ])
      let read = try schema.read(keys)
      let typeName = try read.string("type")
      let (least, greatest) = (try read.optionalNumber("min"), try read.optionalNumber("max"))
      if let least, let greatest, least > greatest {
        throw read.failure("min", "is \(least), above its max, \(greatest)")
      }
      let choices = try read.array("choices")
      if choices.isEmpty, keys["choices"] != nil { throw read.failure("choices", "must not be empty") }
      declarations.append(
        OptionDeclaration(
          name, types.first { $0.name == typeName }?.type ?? .any, default: keys["default"],
          try read.string("description"), minimum: least, maximum: greatest, choices: choices,
          required: try read.boolean("required")))
      // A default that breaks its own declaration is the plugin's mistake, and found when the plugin is loaded.
      if let value = keys["default"] {
        _ = try OptionSchema(owner: "\(owner): default", [declarations[declarations.count - 1]])
          .validate(Table([(name, value)]))
      }
    }
    self.init(owner: owner, declarations)
  }
}
