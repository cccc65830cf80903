import Values

/// How the instances of a Swift class look to Lua. Built up in a chain, then given to `LuaState.register`:
///
///     LuaClass<Dataset>("grao.dataset")
///       .length { $0.count }
///       .element { dataset, index in dataset.row(index) }
///       .method("map") { dataset, call in [.object(try dataset.map(call.function(1)))] }
///
/// Lua's collector releases an instance after the last use; `local x <close>` calls `close` at the end of its block,
/// else releases the instance there.
package final class LuaClass<Instance: AnyObject> {
  package let name: String
  private(set) var methods = Table()
  private(set) var fields = Table()
  private(set) var length: Value = .null
  private(set) var element: Value = .null
  private(set) var description: Value = .null
  private(set) var closing: Value = .null
  private(set) var operators = Table()

  /// - Parameter name: as messages call an instance: "grao.model".
  package init(_ name: String) { self.name = name }

  /// `object:name(…)`. The call's arguments are those after the object.
  @discardableResult
  package func method(_ name: String, _ body: @escaping (Instance, LuaCall) throws -> [Value]) -> Self {
    methods[name] = function("\(self.name):\(name)", body)
    return self
  }

  /// An operator by the name of its metamethod, "__add": either operand may be the instance.
  @discardableResult
  package func metamethod(_ name: String, _ body: @escaping (LuaCall) throws -> Value) -> Self {
    operators[name] = .object(HostFunction("\(self.name) \(name)") { call in [try body(call)] })
    return self
  }

  /// `object.name`, asked for anew each time.
  @discardableResult
  package func field(_ name: String, _ get: @escaping (Instance) throws -> Value) -> Self {
    fields[name] = function("\(self.name).\(name)") { instance, _ in [try get(instance)] }
    return self
  }

  /// `#object`
  @discardableResult
  package func length(_ count: @escaping (Instance) throws -> Int) -> Self {
    length = function("#\(name)") { instance, _ in [.integer(try count(instance))] }
    return self
  }

  /// `object[index]`, from 1; nil ends an ipairs loop.
  @discardableResult
  package func element(_ get: @escaping (Instance, Int) throws -> Value?) -> Self {
    element = function("\(name)[…]") { instance, call in
      // A number that is no integer is no index.
      guard let index = call[1].integer else { return [.null] }
      return [try get(instance, index) ?? .null]
    }
    return self
  }

  /// `tostring(object)`
  @discardableResult
  package func description(_ text: @escaping (Instance) throws -> String) -> Self {
    description = function("tostring(\(name))") { instance, _ in [.string(try text(instance))] }
    return self
  }

  /// `object:close()` and the end of `local object <close>`.
  @discardableResult
  package func close(_ body: @escaping (Instance) throws -> Void) -> Self {
    closing = function("\(name):close") { instance, _ in
      try body(instance)
      return []
    }
    methods["close"] = closing
    return self
  }

  private func function(_ name: String, _ body: @escaping (Instance, LuaCall) throws -> [Value]) -> Value {
    let className = self.name
    return .object(
      HostFunction(name) { call in
        guard let instance = call[1].object as? Instance else {
          throw GRAOError(
            "\(name) was called on \(call[1].kind), not on a \(className); write ':' before a method's name")
        }
        return try body(instance, LuaCall(name: name, arguments: Array(call.arguments.dropFirst())))
      })
  }
}
