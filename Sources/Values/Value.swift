/// What a configuration file, a dataset row or a script's table holds: JSON's values, with integers kept apart from
/// other numbers, keys in the order they were written, and opaque host objects (a model, a Lua function) as leaves.
public enum Value {
  case null
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([Value])
  case table(Table)
  /// A host object that a script passes through: a function, a model, a dataset, a plugin.
  case object(AnyObject)

  /// The value of `key` where this is a table that has it, else nil.
  public subscript(key: String) -> Value? {
    guard case .table(let table) = self else { return nil }
    return table[key]
  }

  /// The value where it is true or false, else nil. The others likewise.
  public var boolean: Bool? {
    guard case .boolean(let value) = self else { return nil }
    return value
  }

  /// An integer, or a number without a fraction that an Int can hold.
  public var integer: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int(exactly: value)
    default: nil
    }
  }

  /// An integer or any other number.
  public var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  public var string: String? {
    guard case .string(let value) = self else { return nil }
    return value
  }

  public var array: [Value]? {
    guard case .array(let value) = self else { return nil }
    return value
  }

  public var table: Table? {
    guard case .table(let value) = self else { return nil }
    return value
  }

  public var object: AnyObject? {
    guard case .object(let value) = self else { return nil }
    return value
  }

  /// Whether this is JSON's null, a script's nil.
  public var isNull: Bool {
    if case .null = self { true } else { false }
  }

  /// The value itself, or nil for null. (`nil` where a `Value` is expected is null, not an absent value.)
  public var unlessNull: Value? { isNull ? Optional.none : self }

  /// The kind in words, for messages: "a string", "a table", …
  public var kind: String {
    switch self {
    case .null: "nil"
    case .boolean: "a boolean"
    case .integer: "an integer"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .table: "a table"
    case .object(let object): (type(of: object) as? any KindNamed.Type)?.kind ?? "a \(type(of: object))"
    }
  }
}

/// A host object that messages call otherwise than by its type.
public protocol KindNamed {
  /// With its article: "a function".
  static var kind: String { get }
}

extension Value: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
  public init(nilLiteral: ()) { self = .null }
  public init(arrayLiteral elements: Value...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, Value)...) { self = .table(Table(elements)) }
}

extension Value {
  /// The elements of an array, each as `read` takes it. A script's empty table is an empty array.
  /// - Parameters:
  ///   - what: what the value is, for messages: "column 'prompt'".
  ///   - expected: what it should be: "an array of token ids".
  /// - Throws: where the value is no array, or `read` gives nil for an element.
  package func elements<T>(_ what: String, _ expected: String, _ read: (Value) -> T?) throws(GRAOError) -> [T] {
    if let table, table.isEmpty { return [] }
    guard let array else { throw GRAOError("\(what) must be \(expected), not \(kind)") }
    var result: [T] = []
    result.reserveCapacity(array.count)
    for element in array {
      guard let read = read(element) else {
        throw GRAOError("\(what) must be \(expected), but one element is \(element.kind)")
      }
      result.append(read)
    }
    return result
  }
}

/// Equality by content; opaque objects by identity. An integer equals a number of the same value.
extension Value: Equatable {
  public static func == (left: Value, right: Value) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.boolean(let a), .boolean(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.integer, .number), (.number, .integer), (.number, .number): left.number == right.number
    case (.string(let a), .string(let b)): ExactString(a) == ExactString(b)
    case (.array(let a), .array(let b)): a == b
    case (.table(let a), .table(let b)): a.count == b.count && a.keys.allSatisfy { a[$0] == b[$0] }
    case (.object(let a), .object(let b)): a === b
    default: false
    }
  }
}

/// An error that may end a run whatever a script says about errors: an interrupt.
public protocol StoppingError: Error {
  /// Whether the run ends.
  var stops: Bool { get }
}

/// A failure with one line for the person who caused it: it names the file, key, tensor or option, and says what was
/// expected there.
public struct GRAOError: Error, CustomStringConvertible {
  /// One line.
  public let message: String
  /// - Parameter message: one line.
  public init(_ message: String) { self.message = message }
  public var description: String { message }
}
