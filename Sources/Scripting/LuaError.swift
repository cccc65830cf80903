import CLuaBridge
import Values

/// An error that Lua code raised, or that stopped it.
package struct LuaError: StoppingError, CustomStringConvertible {
  package enum Kind {
    case error
    /// The memory limit of a plugin, or the machine's.
    case memory
    /// The time limit of a plugin.
    case time
    /// A signal: see `Interruption`.
    case interrupted
  }

  package let kind: Kind
  /// Starts with `path:line:` where the error has a place in Lua code.
  package let message: String
  /// Lua's own, beginning with "stack traceback:"; empty where there was no memory for it.
  package let traceback: String

  package var description: String { message }
  package var stops: Bool { kind == .interrupted }

  package init(kind: Kind, message: String, traceback: String = "") {
    self.kind = kind
    self.message = message
    self.traceback = traceback
  }

  init(_ outcome: glb_outcome, message: String, traceback: String) {
    let kind: Kind =
      switch outcome {
      case GLB_MEMORY: .memory
      case GLB_TIME: .time
      case GLB_INTERRUPTED: .interrupted
      default: .error
      }
    self.init(kind: kind, message: message, traceback: traceback)
  }

  /// As the result of a host function: an interrupt ends the caller's state too; the limits are the other state's.
  var outcome: glb_outcome {
    if kind == .interrupted { return GLB_INTERRUPTED }
    let isPlaced = kind != .error || message.firstMatch(of: #/^[^\n]*:[0-9]+: /#) != nil
    return isPlaced ? GLB_ERROR_POSITIONED : GLB_ERROR
  }
}

/// A request to stop all Lua code of the process, made by a signal handler through `glb_interrupt`.
package enum Interruption {
  package static func request() { glb_interrupt() }
  package static func clear() { glb_clear_interrupt() }
  package static var isRequested: Bool { glb_is_interrupted() }
}
