import Foundation
import Scripting
import Testing
import Values

/// Runs a chunk in a state and returns its results.
@discardableResult
func run(_ text: String, in state: LuaState, _ arguments: [Value] = []) throws(LuaError) -> [Value] {
  try state.load(text.utf8, name: "test.lua").call(arguments)
}

/// Runs a chunk in a new state.
@discardableResult
func run(_ text: String, _ arguments: [Value] = []) throws(LuaError) -> [Value] {
  try run(text, in: LuaState(), arguments)
}

/// The error that a chunk ends with.
func failure(_ text: String, in state: LuaState) -> LuaError? {
  do throws(LuaError) {
    try run(text, in: state)
    return nil
  } catch {
    return error
  }
}

func sandbox(seconds: Double = 0, megabytes: Int = 64, seed: Int = 0) throws -> LuaState {
  var options = LuaState.Options()
  options.isSandboxed = true
  options.seconds = seconds
  options.memory = megabytes << 20
  options.seed = seed
  return try LuaState(options)
}

func function(_ name: String, _ body: @escaping (LuaCall) throws -> [Value]) -> Value {
  .object(HostFunction(name, body))
}

/// A folder that goes with the object.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "grao-scripting-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    let file = path + "/" + name
    let folder = (file as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    return file
  }
}

/// An object whose living instances are counted.
final class Counted {
  final class Count { var living = 0 }
  let count: Count
  let name: String
  var isClosed = false

  init(_ count: Count, _ name: String = "") {
    self.count = count
    self.name = name
    count.living += 1
  }

  deinit { count.living -= 1 }

  static var luaClass: LuaClass<Counted> {
    LuaClass<Counted>("test.counted")
      .length { $0.name.utf8.count }
      .element { object, index in index == 1 ? .string(object.name) : nil }
      .field("name") { .string($0.name) }
      .method("same") { object, call in [.object(object), call[1]] }
      .method("fail") { _, _ in throw GRAOError("failed on purpose") }
      .description { "counted \($0.name)" }
      .close { $0.isClosed = true }
  }
}

extension Plugin {
  /// A reward's values of some samples, nil where it does not apply.
  func values(_ samples: [Value]) throws -> [Double?] {
    guard scoresBatches else { return try samples.map { try score($0).value } }
    return try scores(samples).map { try $0.get().value }
  }

  /// A curriculum's weight of one row.
  func weight(row: Value, state: Value) throws -> Double { try weights(rows: [row], state: state)[0] }
}
