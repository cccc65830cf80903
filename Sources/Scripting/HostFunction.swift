import Values

/// A function that Lua code calls and Swift runs. As a `Value.object` it becomes a Lua function. An error that it
/// throws becomes a Lua error with the position of the call; a `LuaError` keeps the position that it has.
package final class HostFunction {
  package let name: String
  package let body: (LuaCall) throws -> [Value]

  package init(_ name: String, _ body: @escaping (LuaCall) throws -> [Value]) {
    self.name = name
    self.body = body
  }
}

/// The arguments of a call from Lua, numbered from 1.
package struct LuaCall {
  package let name: String
  package let arguments: [Value]

  package init(name: String, arguments: [Value]) {
    self.name = name
    self.arguments = arguments
  }

  package var count: Int { arguments.count }

  /// The argument, null where there is none.
  package subscript(number: Int) -> Value {
    arguments.indices.contains(number - 1) ? arguments[number - 1] : .null
  }

  package func string(_ number: Int) throws(GRAOError) -> String { try get(number, "a string") { $0.string } }
  package func number(_ number: Int) throws(GRAOError) -> Double { try get(number, "a number") { $0.number } }
  package func integer(_ number: Int) throws(GRAOError) -> Int { try get(number, "an integer") { $0.integer } }

  /// An array; the empty table is one.
  package func array(_ number: Int) throws(GRAOError) -> [Value] {
    try get(number, "an array") { value in
      if case .table(let table) = value, table.isEmpty { return [] }
      return value.array
    }
  }

  /// A table with string keys.
  package func table(_ number: Int) throws(GRAOError) -> Table { try get(number, "a table") { $0.table } }

  /// A table with string keys, empty where the argument is absent.
  package func options(_ number: Int) throws(GRAOError) -> Table {
    self[number].isNull ? Table() : try table(number)
  }

  package func function(_ number: Int) throws(GRAOError) -> LuaFunction {
    try object(number, as: LuaFunction.self, "a function")
  }

  /// A host object; `words` names it in messages: "a model".
  package func object<T>(_ number: Int, as type: T.Type, _ words: String) throws(GRAOError) -> T {
    try get(number, words) { value in value.object.flatMap { $0 as? T } }
  }

  /// An error about one argument.
  package func failure(_ number: Int, expected: String) -> GRAOError {
    let found = number > count ? "nothing" : self[number].kind
    return GRAOError("argument \(number) of \(name) must be \(expected), not \(found)")
  }

  private func get<T>(_ number: Int, _ words: String, _ read: (Value) -> T?) throws(GRAOError) -> T {
    guard let result = read(self[number]) else { throw failure(number, expected: words) }
    return result
  }
}

extension HostFunction: KindNamed {
  package static var kind: String { "a function" }
}
