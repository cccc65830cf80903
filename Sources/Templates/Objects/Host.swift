/// An object with attributes or that can be called.
protocol Host: AnyObject {
  /// The type's name in Python.
  var type: String { get }
  /// As it is printed.
  func description(_ printer: inout Printer) throws(Failure)
  /// Levels of objects that this holds.
  var depth: Int { get }
  var isTrue: Bool { get }
  func attribute(_ name: Text) -> Object?
  func call(_ arguments: Arguments, _ interpreter: Interpreter) throws(Failure) -> Object
  /// Lets go of what it holds, at the end of rendering: what a template ties together in a circle or in a long chain
  /// would otherwise never be freed, or by deep recursion.
  func release()
}

extension Host {
  var depth: Int { 0 }
  var isTrue: Bool { true }
  func description(_ printer: inout Printer) throws(Failure) { try printer.write("<\(type) object>") }
  func attribute(_ name: Text) -> Object? { nil }
  func call(_ arguments: Arguments, _ interpreter: Interpreter) throws(Failure) -> Object {
    throw Failure("'\(type)' object is not callable")
  }
  func release() {}
}

/// namespace(…): the one thing whose attributes a template may set.
final class Namespace: Host {
  let type = "Namespace"
  private var pairs: [(key: Object, value: Object)] = []
  private var index: [Object: Int] = [:]

  init(_ pairs: [(key: Object, value: Object)]) throws(Failure) {
    for (key, value) in pairs {
      if let name = key.text { try Namespace.check(name) }
      set(key, value)
    }
  }

  /// Refuses names that begin with an underscore, as transformers does.
  static func check(_ name: Text) throws(Failure) {
    guard !name.hasPrefix("_") else {
      throw Failure("a namespace cannot have an attribute whose name begins with '_': '\(name.string)'")
    }
  }

  func attribute(_ name: Text) -> Object? { index[.string(name)].map { pairs[$0].value } }

  func set(_ key: Object, _ value: Object) {
    if let place = index[key] {
      pairs[place].value = value
    } else {
      index[key] = pairs.count
      pairs.append((key, value))
    }
  }

  func release() {
    pairs = []
    index = [:]
  }

  func description(_ printer: inout Printer) throws(Failure) {
    try printer.write("<Namespace ")
    try printer.write(pairs)
    try printer.write(">")
  }
}

/// A function of the environment, or a method bound to its object.
final class Function: Host {
  typealias Body = (Arguments, Interpreter) throws(Failure) -> Object

  let name: String
  let type: String
  let depth: Int
  private let body: Body

  /// - Parameter depth: levels of objects that the body holds.
  init(_ name: String, type: String = "function", depth: Int = 0, _ body: @escaping Body) {
    self.name = name
    self.type = type
    self.depth = depth
    self.body = body
  }

  func description(_ printer: inout Printer) throws(Failure) { try printer.write("<\(type) \(name)>") }

  func call(_ arguments: Arguments, _ interpreter: Interpreter) throws(Failure) -> Object {
    try body(arguments, interpreter)
  }
}

/// `loop` inside a loop.
final class Loop: Host {
  let type = "LoopContext"
  let items: [Object]
  let depth: Int
  var index = 0
  private let level: Int
  /// The statement and where it stands, for a recursive loop.
  private var recursion: (statement: LoopStatement, scope: Scope)?
  private var lastChanged: [Object]?

  init(_ items: [Object], depth: Int, level: Int, recursion: (LoopStatement, Scope)?) {
    self.items = items
    self.depth = depth + 1
    self.level = level
    self.recursion = recursion
  }

  func call(_ arguments: Arguments, _ interpreter: Interpreter) throws(Failure) -> Object {
    guard let recursion else { throw Failure("only a loop with the mark 'recursive' can be called") }
    let items = try arguments.bind(["iterable"], of: "loop")[0].required("loop: iterable")
    let line = interpreter.line
    let text = try interpreter.nested { () throws(Failure) in
      try interpreter.inScope(recursion.scope) { () throws(Failure) in
        try interpreter.capture { () throws(Failure) in
          _ = try interpreter.run(recursion.statement, over: items, level: level + 1)
        }
      }
    }
    interpreter.line = line
    return .string(text)
  }

  func description(_ printer: inout Printer) throws(Failure) {
    try printer.write("<LoopContext \(index + 1)/\(items.count)>")
  }

  func attribute(_ name: Text) -> Object? {
    switch name {
    case "index": .integer(index + 1)
    case "index0": .integer(index)
    case "revindex": .integer(items.count - index)
    case "revindex0": .integer(items.count - index - 1)
    case "first": .boolean(index == 0)
    case "last": .boolean(index == items.count - 1)
    case "length": .integer(items.count)
    case "depth": .integer(level + 1)
    case "depth0": .integer(level)
    case "previtem": index > 0 ? items[index - 1] : .undefined("there is no previous item")
    case "nextitem": index + 1 < items.count ? items[index + 1] : .undefined("there is no next item")
    case "cycle":
      .host(
        Function("cycle", type: "method", depth: depth) { [self] (arguments, _) throws(Failure) in
          guard !arguments.positional.isEmpty else { throw Failure("no items for cycling given") }
          return arguments.positional[index % arguments.positional.count]
        })
    case "changed":
      .host(
        Function("changed", type: "method", depth: depth) { [self] (arguments, interpreter) throws(Failure) in
          try interpreter.charge(arguments.positional.reduce(0) { $0 + $1.weight })
          interpreter.keep(self)
          defer { lastChanged = arguments.positional }
          return .boolean(lastChanged != arguments.positional)
        })
    default: nil
    }
  }

  func release() {
    lastChanged = nil
    recursion = nil
  }
}

/// cycler(a, b, …)
final class Cycler: Host {
  let type = "Cycler"
  let depth: Int
  private let items: [Object]
  private var position = 0

  init(_ items: [Object]) throws(Failure) {
    guard !items.isEmpty else { throw Failure("cycler() needs at least one item") }
    self.items = items
    depth = try Elements(items).depth
  }

  func attribute(_ name: Text) -> Object? {
    switch name {
    case "current": items[position]
    case "next":
      .host(
        Function("next", type: "method", depth: depth) { [self] (_, _) throws(Failure) in
          defer { position = (position + 1) % items.count }
          return items[position]
        })
    case "reset":
      .host(
        Function("reset", type: "method", depth: depth) { [self] (_, _) throws(Failure) in
          position = 0
          return .none
        })
    default: nil
    }
  }
}

/// joiner(separator): nothing the first time it is called, the separator from then on.
final class Joiner: Host {
  let type = "Joiner"
  let depth: Int
  private let separator: Object
  private var isUsed = false

  init(_ separator: Object) {
    self.separator = separator
    depth = separator.depth + 1
  }

  func call(_ arguments: Arguments, _ interpreter: Interpreter) throws(Failure) -> Object {
    defer { isUsed = true }
    return isUsed ? separator : .string("")
  }
}
