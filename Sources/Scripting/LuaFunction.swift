import CLuaBridge
import Values

/// A function of a script, held by Swift. Lua keeps it alive until this object goes.
package final class LuaFunction {
  let reference: Int32
  private(set) weak var state: LuaState?

  init(reference: Int32, state: LuaState) {
    self.reference = reference
    self.state = state
  }

  deinit { state?.release(reference) }

  /// Calls the function, on the thread that runs its state.
  @discardableResult
  package func call(_ arguments: [Value] = []) throws(LuaError) -> [Value] {
    guard let state else { throw LuaError(kind: .error, message: "a function of a script that has ended was called") }
    return try state.call(self, arguments)
  }
}

extension LuaFunction: KindNamed {
  package static var kind: String { "a function" }
}
