/// Typed access to options. A name that is absent or of another type than asked for is an error, never a crash.
public struct OptionReader {
  /// What messages name: "grao.train".
  public let owner: String
  /// As it was given.
  public let table: Table
  private let path: String

  /// - Parameter owner: whose options these are, for messages.
  public init(owner: String, table: Table) { self.init(owner: owner, table: table, path: "") }

  private init(owner: String, table: Table, path: String) {
    self.owner = owner
    self.table = table
    self.path = path
  }

  /// Whether the option is there and not null.
  public func has(_ name: String) -> Bool { optional(name) != nil }

  /// The value of an option, nil where it is absent or null.
  public func optional(_ name: String) -> Value? { table[name]?.unlessNull }

  /// The option's value, which must be there and of this type.
  public func number(_ name: String) throws(GRAOError) -> Double { try get(name, "a number") { $0.number } }
  public func integer(_ name: String) throws(GRAOError) -> Int { try get(name, "an integer") { $0.integer } }
  public func boolean(_ name: String) throws(GRAOError) -> Bool { try get(name, "true or false") { $0.boolean } }
  public func string(_ name: String) throws(GRAOError) -> String { try get(name, "a string") { $0.string } }
  public func array(_ name: String) throws(GRAOError) -> [Value] { try get(name, "an array") { $0.array } }

  /// The numbers of an array option.
  public func numbers(_ name: String) throws(GRAOError) -> [Double] {
    try get(name, "an array of numbers") { value in
      value.array.flatMap { elements in
        let numbers = elements.compactMap(\.number)
        return numbers.count == elements.count ? numbers : nil
      }
    }
  }

  /// The strings of an array option.
  public func strings(_ name: String) throws(GRAOError) -> [String] {
    try get(name, "an array of strings") { value in
      value.array.flatMap { elements in
        let strings = elements.compactMap(\.string)
        return strings.count == elements.count ? strings : nil
      }
    }
  }

  /// The same; nil where the option is absent or null.
  public func optionalNumber(_ name: String) throws(GRAOError) -> Double? { has(name) ? try number(name) : nil }
  public func optionalInteger(_ name: String) throws(GRAOError) -> Int? { has(name) ? try integer(name) : nil }
  public func optionalString(_ name: String) throws(GRAOError) -> String? { has(name) ? try string(name) : nil }

  /// The options of a nested table; its messages carry this option's name before theirs.
  public func nested(_ name: String) throws(GRAOError) -> OptionReader {
    OptionReader(owner: owner, table: try get(name, "a table") { $0.table }, path: path + name + ".")
  }

  /// A host object of one class; `words` names it in messages: "a model".
  public func object<T>(_ name: String, as type: T.Type, _ words: String) throws(GRAOError) -> T {
    try get(name, words) { value in value.object.flatMap { $0 as? T } }
  }

  /// As ``object(_:as:_:)``; nil where it is absent.
  public func optionalObject<T>(_ name: String, as type: T.Type, _ words: String) throws(GRAOError) -> T? {
    has(name) ? try object(name, as: type, words) : nil
  }

  /// An error about this option: "grao.train: option 'data' …".
  public func failure(_ name: String, _ message: String) -> GRAOError {
    GRAOError("\(owner): option '\(path)\(name)' \(message)")
  }

  private func get<T>(_ name: String, _ words: String, _ read: (Value) -> T?) throws(GRAOError) -> T {
    guard let value = optional(name) else { throw failure(name, "is missing: \(words) is required") }
    guard let result = read(value) else { throw failure(name, "must be \(words), not \(value.kind)") }
    return result
  }
}
