import Values

/// What expressions give, with Python's semantics.
enum TemplateValue {
  /// A variable or attribute that is not there, by name: prints as nothing, and is an error where more is asked of it.
  case undefined(String)
  case none
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case list([TemplateValue])
  case tuple([TemplateValue])
  case dictionary(TemplateDictionary)
  case namespace(Namespace)
  case function(TemplateFunction)
  case loop(LoopState)

  init(_ value: Value) {
    switch value {
    case .boolean(let boolean): self = .boolean(boolean)
    case .integer(let integer): self = .integer(integer)
    case .number(let number): self = .number(number)
    case .string(let string): self = .string(string)
    case .array(let array): self = .list(array.map(TemplateValue.init))
    case .table(let table):
      self = .dictionary(TemplateDictionary(table.map { (.string($0.key), TemplateValue($0.value)) }))
    default: self = .none
    }
  }
}

/// A mapping in order of insertion.
struct TemplateDictionary {
  /// Python's 1, 1.0 and True are one key.
  enum Key: Hashable {
    case none
    case number(Double)
    case string(String)
  }

  private(set) var keys: [TemplateValue] = []
  private var values: [Key: (index: Int, value: TemplateValue)] = [:]

  init(_ entries: [(key: TemplateValue, value: TemplateValue)] = []) {
    for (key, value) in entries { self.set(key, value) }
  }

  private static func key(_ value: TemplateValue) -> Key? {
    switch value {
    case .none: Key.none
    case .boolean(let boolean): .number(boolean ? 1 : 0)
    case .integer(let integer): .number(Double(integer))
    case .number(let number): .number(number)
    case .string(let string): .string(string)
    default: nil
    }
  }

  subscript(key: TemplateValue) -> TemplateValue? { Self.key(key).flatMap { values[$0]?.value } }
  subscript(name: String) -> TemplateValue? { values[.string(name)]?.value }

  /// False where the key is of a kind that cannot be one.
  @discardableResult
  mutating func set(_ key: TemplateValue, _ value: TemplateValue) -> Bool {
    guard let hashed = Self.key(key) else { return false }
    if let old = values[hashed] {
      values[hashed] = (old.index, value)
    } else {
      values[hashed] = (keys.count, value)
      keys.append(key)
    }
    return true
  }

  var count: Int { keys.count }
  var entries: [(key: TemplateValue, value: TemplateValue)] { keys.map { ($0, self[$0] ?? .none) } }
}

/// What `namespace()` makes: the one thing that a template can change from within a loop.
final class Namespace {
  var attributes: TemplateDictionary
  init(_ attributes: TemplateDictionary) { self.attributes = attributes }
}

/// Something that can be called: a macro, a method bound to its object, or a function of the environment.
struct TemplateFunction {
  let name: String
  let body: (Renderer, CallArguments) throws -> TemplateValue
  /// Whether it is a macro, which may take a caller.
  var takesCaller = false
}

/// The arguments of a call, evaluated.
struct CallArguments {
  var positional: [TemplateValue] = []
  var named: [(name: String, value: TemplateValue)] = []

  /// Argument `index`, or the one named `name`.
  func optional(_ index: Int, _ name: String) -> TemplateValue? {
    if positional.indices.contains(index) { return positional[index] }
    return named.first { $0.name == name }?.value
  }

  func required(_ index: Int, _ name: String, of function: String) throws -> TemplateValue {
    guard let value = optional(index, name) else {
      throw TemplateFailure("\(function) needs an argument '\(name)'")
    }
    return value
  }

  func integer(_ index: Int, _ name: String, of function: String) throws -> Int? {
    guard let value = optional(index, name) else { return nil }
    if case .none = value { return nil }
    guard let integer = value.asInteger else { throw TemplateFailure("\(function): '\(name)' must be an integer") }
    return integer
  }

  func string(_ index: Int, _ name: String, of function: String) throws -> String? {
    guard let value = optional(index, name) else { return nil }
    if case .none = value { return nil }
    guard case .string(let string) = value else { throw TemplateFailure("\(function): '\(name)' must be a string") }
    return string
  }

  func flag(_ index: Int, _ name: String, default fallback: Bool) -> Bool {
    optional(index, name)?.isTrue ?? fallback
  }
}

extension TemplateValue {
  /// Python's truth.
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .boolean(let boolean): boolean
    case .integer(let integer): integer != 0
    case .number(let number): number != 0
    case .string(let string): !string.isEmpty
    case .list(let items), .tuple(let items): !items.isEmpty
    case .dictionary(let dictionary): dictionary.count > 0
    case .namespace, .function, .loop: true
    }
  }

  /// Integers and booleans.
  var asInteger: Int? {
    switch self {
    case .integer(let integer): integer
    case .boolean(let boolean): boolean ? 1 : 0
    default: nil
    }
  }

  var asNumber: Double? {
    if case .number(let number) = self { return number }
    return asInteger.map(Double.init)
  }

  var isUndefined: Bool {
    if case .undefined = self { return true }
    return false
  }

  /// Python's name of its type.
  var kind: String {
    switch self {
    case .undefined: "undefined"
    case .none: "None"
    case .boolean: "bool"
    case .integer: "int"
    case .number: "float"
    case .string: "str"
    case .list: "list"
    case .tuple: "tuple"
    case .dictionary: "dict"
    case .namespace: "namespace"
    case .function: "function"
    case .loop: "loop"
    }
  }

  /// What a loop goes over; nil where there is nothing to go over.
  var items: [TemplateValue]? {
    switch self {
    case .undefined: []
    case .list(let items), .tuple(let items): items
    case .dictionary(let dictionary): dictionary.keys
    case .string(let string): string.unicodeScalars.map { .string(String($0)) }
    default: nil
    }
  }

  func sequence(for user: String) throws -> [TemplateValue] {
    guard let items else { throw TemplateFailure("\(user) needs a sequence, not \(kind)") }
    return items
  }

  static func == (a: TemplateValue, b: TemplateValue) -> Bool {
    switch (a, b) {
    case (.none, .none), (.undefined, .undefined): true
    case (.string(let a), .string(let b)): a.unicodeScalars.elementsEqual(b.unicodeScalars)
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)): a.elementsEqual(b, by: ==)
    case (.dictionary(let a), .dictionary(let b)):
      a.count == b.count && a.entries.allSatisfy { key, value in b[key].map { $0 == value } ?? false }
    case (.namespace(let a), .namespace(let b)): a === b
    default:
      if let a = a.asInteger, let b = b.asInteger {
        a == b
      } else if let a = a.asNumber, let b = b.asNumber {
        a == b
      } else {
        false
      }
    }
  }

  /// Whether a < b, for numbers, strings and sequences.
  static func isLess(_ a: TemplateValue, _ b: TemplateValue) throws -> Bool {
    if let a = a.asInteger, let b = b.asInteger { return a < b }
    if let a = a.asNumber, let b = b.asNumber { return a < b }
    switch (a, b) {
    case (.string(let a), .string(let b)): return a.unicodeScalars.lexicographicallyPrecedes(b.unicodeScalars)
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
      for (x, y) in zip(a, b) where !(x == y) { return try isLess(x, y) }
      return a.count < b.count
    default: throw TemplateFailure("\(a.kind) and \(b.kind) cannot be compared")
    }
  }

  func contains(_ needle: TemplateValue) throws -> Bool {
    switch self {
    case .string(let text):
      guard case .string(let part) = needle else {
        throw TemplateFailure("'in' needs a string to look for in a string, not \(needle.kind)")
      }
      return text.contains(part: part)
    case .dictionary(let dictionary): return dictionary[needle] != nil
    default: return try sequence(for: "'in'").contains { $0 == needle }
    }
  }
}

extension String {
  /// Whether the code points of `part` stand in it.
  func contains(part: String) -> Bool {
    part.isEmpty || firstPlace(of: part, from: unicodeScalars.startIndex) != nil
  }

  /// Where the code points of `part`, which is not empty, begin.
  func firstPlace(of part: String, from start: String.Index) -> String.Index? {
    let (bytes, needle) = (utf8, Array(part.utf8))
    guard let first = needle.first else { return start }
    var index = start
    while let candidate = bytes[index...].firstIndex(of: first) {
      if bytes[candidate...].starts(with: needle) { return candidate }
      index = bytes.index(after: candidate)
    }
    return nil
  }
}
