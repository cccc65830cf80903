import Values

/// A value while a template is rendered: what Python would hold there. Nothing but hosts can change.
enum Object {
  /// Jinja's Undefined, with why it is so: "'x' is undefined".
  case undefined(String)
  case none
  case boolean(Bool)
  case integer(Int)
  case float(Double)
  case string(Text)
  case list(Elements)
  case tuple(Elements)
  case dictionary(Dictionary)
  /// range(start, stop, step)
  case range(Elements, description: String)
  /// dict.keys(), .values() and .items()
  case view(Elements, name: String)
  /// A generator or iterator: gives each element once.
  case iterator(Iterator)
  /// What has attributes or can be called: a namespace, a macro, a method, loop, …
  case host(any Host)

  /// The type's name in Python.
  var type: String {
    switch self {
    case .undefined: "Undefined"
    case .none: "NoneType"
    case .boolean: "bool"
    case .integer: "int"
    case .float: "float"
    case .string: "str"
    case .list: "list"
    case .tuple: "tuple"
    case .dictionary: "dict"
    case .range: "range"
    case .view(_, let name): name
    case .iterator: "generator"
    case .host(let host): host.type
    }
  }

  var isUndefined: Bool {
    guard case .undefined = self else { return false }
    return true
  }

  var isNone: Bool {
    guard case .none = self else { return false }
    return true
  }

  /// Python's bool().
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .boolean(let value): value
    case .integer(let value): value != 0
    case .float(let value): value != 0
    case .string(let text): !text.isEmpty
    case .list(let elements), .tuple(let elements), .range(let elements, _), .view(let elements, _):
      !elements.array.isEmpty
    case .dictionary(let dictionary): dictionary.count > 0
    case .iterator: true
    case .host(let host): host.isTrue
    }
  }

  /// An integer, or a boolean counted as 0 or 1.
  var integer: Int? {
    switch self {
    case .integer(let value): value
    case .boolean(let value): value ? 1 : 0
    default: nil
    }
  }

  /// An integer, a boolean or a float.
  var number: Double? {
    if case .float(let value) = self { return value }
    return integer.map(Double.init)
  }

  var text: Text? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  /// Elements and pieces of text, those inside counted: what handling the whole of this costs.
  var weight: Int {
    switch self {
    case .string(let text): 1 + text.bytes.count / 16
    case .list(let elements), .tuple(let elements), .range(let elements, _), .view(let elements, _): elements.weight
    case .dictionary(let dictionary): dictionary.weight
    case .iterator(let iterator): iterator.weight
    default: 1
    }
  }

  /// Elements and pieces of text at the top level: what going through this once costs.
  var span: Int {
    switch self {
    case .list(let elements), .tuple(let elements), .range(let elements, _), .view(let elements, _):
      1 + elements.array.count
    case .dictionary(let dictionary): 1 + dictionary.count
    case .string: weight
    default: 1
    }
  }

  /// Levels of objects inside each other.
  var depth: Int {
    switch self {
    case .list(let elements), .tuple(let elements), .range(let elements, _), .view(let elements, _): elements.depth
    case .dictionary(let dictionary): dictionary.depth
    case .iterator(let iterator): iterator.depth
    case .host(let host): host.depth
    default: 0
    }
  }
}

/// The elements of a list or tuple.
final class Elements {
  let array: [Object]
  /// For a named tuple: the elements' names.
  let names: [Text]
  let weight: Int
  let depth: Int

  /// - Throws: where there are too many, or they are nested too deep.
  init(_ array: [Object], names: [Text] = []) throws(Failure) {
    var weight = 1
    var depth = 0
    for element in array {
      weight += element.weight
      depth = max(depth, element.depth)
    }
    self.array = array
    self.names = names
    self.weight = weight
    self.depth = depth + 1
    try Elements.check(weight: weight, depth: self.depth)
  }

  static func check(weight: Int, depth: Int) throws(Failure) {
    guard weight <= Limits.elements else { throw Failure("a value of more than \(Limits.elements) elements") }
    guard depth <= Limits.objectDepth else {
      throw Failure("lists and dictionaries nested more than \(Limits.objectDepth) levels deep")
    }
  }
}

/// What is left of a generator.
final class Iterator {
  private var remaining: ArraySlice<Object>
  let weight: Int
  let depth: Int

  init(_ elements: [Object]) throws(Failure) {
    let elements = try Elements(elements)
    remaining = elements.array[...]
    weight = elements.weight
    depth = elements.depth
  }

  func next() -> Object? { remaining.popFirst() }

  /// All that is left, which empties the iterator.
  func rest() -> [Object] {
    defer { remaining = [] }
    return Array(remaining)
  }
}

extension Object {
  static func string(_ string: String) -> Object { .string(Text(string)) }
  static func list(_ elements: [Object]) throws(Failure) -> Object { .list(try Elements(elements)) }
  static func tuple(_ elements: [Object]) throws(Failure) -> Object { .tuple(try Elements(elements)) }
  static func iterator(_ elements: [Object]) throws(Failure) -> Object { .iterator(try Iterator(elements)) }

  /// What a caller passes to a template. An opaque object becomes "<its type>", as in transformers.
  init(_ value: Value) throws(Failure) {
    switch value {
    case .null: self = .none
    case .boolean(let value): self = .boolean(value)
    case .integer(let value): self = .integer(value)
    case .number(let value): self = .float(value)
    case .string(let value): self = .string(value)
    case .array(let values): self = try .list(values.map { (value) throws(Failure) in try Object(value) })
    case .table(let table): self = .dictionary(try Dictionary(table))
    case .object(let object): self = .string("<\(Swift.type(of: object))>")
    }
  }
}
