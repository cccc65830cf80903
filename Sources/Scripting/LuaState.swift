import CLuaBridge
import Values

/// A Lua 5.4 state. One thread at a time may use it.
///
/// Values cross by copy: a table with the keys 1 to n becomes an array, one with string keys a table in the order of
/// its keys' bytes, the empty table an empty table (which readers accept as an empty array); any other table is an
/// error. Strings that are not UTF-8 are repaired on the way to Swift. In arrays, null is `grao.json.null` to Lua.
package final class LuaState {
  package struct Options {
    /// What a plugin may use, else all of Lua's libraries.
    package var isSandboxed = false
    /// Bytes; 0: no limit.
    package var memory = 0
    /// Wall time for each call from Swift; 0: no limit.
    package var seconds = 0.0
    /// Of math.random.
    package var seed = 0
    /// For tests: of the allocations, counted from 1, those that fail.
    package var failures: Range<Int> = 0..<0

    package init() {}
  }

  /// What a class is to the bridge. 0 is the bridge's own.
  private struct Registration {
    let number: Int32
    let name: String
  }

  private(set) var handle: OpaquePointer
  private var classes: [ObjectIdentifier: Registration] = [:]
  /// The last error that came out of Lua, so that its traceback survives a way through Lua code as a mere message.
  private var lastError: LuaError?

  package init(_ options: Options = Options()) throws(LuaError) {
    let host = glb_host(
      context: nil,
      call: { context, function, arguments, results in
        guard let context, let function, let arguments, let results else { return GLB_ERROR }
        let state = Unmanaged<LuaState>.fromOpaque(context).takeUnretainedValue()
        let hostFunction = Unmanaged<HostFunction>.fromOpaque(function).takeUnretainedValue()
        return state.run(hostFunction, arguments, results)
      },
      retain: { if let object = $0 { _ = Unmanaged<AnyObject>.fromOpaque(object).retain() } },
      release: { if let object = $0 { Unmanaged<AnyObject>.fromOpaque(object).release() } })
    let bridged = glb_options(
      sandboxed: options.isSandboxed, memory: max(0, options.memory), seconds: options.seconds,
      seed: Int64(options.seed), failures_first: options.failures.lowerBound, failures_count: options.failures.count)
    guard let handle = glb_new(host, bridged) else {
      throw LuaError(kind: .memory, message: "not enough memory for a Lua state")
    }
    self.handle = handle
    glb_set_context(handle, Unmanaged.passUnretained(self).toOpaque())
  }

  deinit { glb_free(handle) }

  package var memoryUsed: Int { glb_memory_used(handle) }
  /// How many allocations failed because the options said so.
  package var failures: Int { glb_failures(handle) }

  /// Makes the instances of a Swift class known to Lua.
  package func register<Instance>(_ type: LuaClass<Instance>) throws(LuaError) {
    let number = Int32(classes.count + 1)
    try write([
      .string(type.name), .table(type.methods), .table(type.fields), type.length, type.element, type.description,
      type.closing, .table(type.operators),
    ]) { glb_define_class(handle, number, $0) }
    classes[ObjectIdentifier(Instance.self)] = Registration(number: number, name: type.name)
  }

  /// Compiles the text of a chunk. `name` is the path that its messages begin with.
  package func load(_ text: some Sequence<UInt8>, name: String) throws(LuaError) -> LuaFunction {
    try load(Array(text), chunkName: "@" + name)
  }

  /// Lua code of the engine itself: its errors take the position of its caller.
  func loadOwn(_ text: String) throws(LuaError) -> LuaFunction { try load(Array(text.utf8), chunkName: "=grao") }

  private func load(_ text: [UInt8], chunkName: String) throws(LuaError) -> LuaFunction {
    var reference: Int32 = 0
    try check(text.withUnsafeBytes { glb_load(handle, $0.baseAddress, $0.count, chunkName, &reference) })
    return LuaFunction(reference: reference, state: self)
  }

  func call(_ function: LuaFunction, _ arguments: [Value]) throws(LuaError) -> [Value] {
    var results = glb_tape()
    defer { glb_tape_free(handle, &results) }
    try withExtendedLifetime(function) { () throws(LuaError) in
      try write(arguments) { glb_call(handle, function.reference, $0, &results) }
    }
    return Tape.values(of: &results, in: self)
  }

  /// Puts the time limit of the call under way off, from within a host function.
  func extendTime(by seconds: Double) { glb_extend_time(handle, seconds) }

  func release(_ reference: Int32) { glb_release_function(handle, reference) }

  /// Hands a tape with the values to one of the bridge's functions, which frees it.
  private func write(
    _ values: [Value], to use: (UnsafeMutablePointer<glb_tape>) -> glb_outcome
  ) throws(LuaError) {
    var tape = glb_tape()
    do {
      for value in values { try Tape.write(value, to: &tape, of: self) }
    } catch {
      glb_tape_free(handle, &tape)
      throw LuaError(kind: .error, message: error.message)
    }
    try check(use(&tape))
  }

  private func check(_ outcome: glb_outcome) throws(LuaError) {
    guard outcome != GLB_OK else { return }
    func text(_ get: (OpaquePointer, UnsafeMutablePointer<Int>) -> UnsafePointer<CChar>?) -> String {
      var size = 0
      guard let start = get(handle, &size) else { return "" }
      return String(decoding: UnsafeRawBufferPointer(start: start, count: size), as: UTF8.self)
    }
    let message = text(glb_message)
    var traceback = text(glb_traceback)
    // Where an inner call failed says more than where its error passed through Swift.
    if let lastError, !lastError.traceback.isEmpty, message == lastError.message {
      traceback = lastError.traceback + "\n" + traceback
    }
    let error = LuaError(outcome, message: message, traceback: traceback)
    lastError = error
    throw error
  }

  // Called by the bridge.

  private func run(
    _ function: HostFunction, _ arguments: UnsafeMutablePointer<glb_tape>, _ results: UnsafeMutablePointer<glb_tape>
  ) -> glb_outcome {
    do {
      let call = LuaCall(name: function.name, arguments: Tape.values(of: arguments, in: self))
      for value in try function.body(call) { try Tape.write(value, to: results, of: self) }
      lastError = nil
      return GLB_OK
    } catch {
      glb_tape_free(handle, results)
      var message = "\(error)"
      message.withUTF8 { glb_add_string(handle, results, $0.baseAddress, $0.count) }
      guard let error = error as? LuaError else { return GLB_ERROR }
      lastError = error
      return error.outcome
    }
  }

  /// The bridge's form of an object, with a reference of its own.
  func node(of object: AnyObject) throws(GRAOError) -> glb_node {
    var node = glb_node()
    if let function = object as? LuaFunction {
      guard function.state === self else { throw GRAOError("a function cannot pass from one Lua state to another") }
      node.kind = GLB_LUA_FUNCTION
      node.tag = function.reference
    } else if object is HostFunction {
      node.kind = GLB_HOST_FUNCTION
    } else if let registration = classes[ObjectIdentifier(type(of: object))] {
      node.kind = GLB_OBJECT
      node.tag = registration.number
    } else {
      throw GRAOError("\(Value.object(object).kind) has no form in Lua")
    }
    node.object = Unmanaged.passRetained(object).toOpaque()
    return node
  }
}
