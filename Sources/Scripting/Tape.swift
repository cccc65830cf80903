import CLuaBridge
import Values

/// Values on their way into Lua or out of it: `glb_tape` with Swift's types.
struct Tape {
  /// As deep as the bridge reads.
  private static let deepest = 256

  /// Adds a value and all that is in it.
  static func write(_ value: Value, to tape: UnsafeMutablePointer<glb_tape>, of state: LuaState) throws(GRAOError) {
    try write(value, to: tape, state, state.handle, depth: 0)
  }

  private static func write(
    _ value: Value, to tape: UnsafeMutablePointer<glb_tape>, _ state: LuaState, _ handle: OpaquePointer, depth: Int
  ) throws(GRAOError) {
    guard depth <= deepest else { throw GRAOError("a value nested more than \(deepest) levels deep") }
    var node = glb_node()
    switch value {
    case .null: node.kind = GLB_NIL
    case .boolean(let value):
      node.kind = GLB_BOOLEAN
      node.integer = value ? 1 : 0
    case .integer(let value):
      node.kind = GLB_INTEGER
      node.integer = Int64(value)
    case .number(let value):
      node.kind = GLB_NUMBER
      node.number = value
    case .string(let text):
      add(text, to: tape, handle)
      return
    case .array(let elements):
      node.kind = GLB_ARRAY
      node.size = elements.count
      glb_add(handle, tape, node)
      if let ids = integers(elements) {
        ids.withUnsafeBufferPointer { glb_add_integers(handle, tape, $0.baseAddress, $0.count) }
        return
      }
      for element in elements { try write(element, to: tape, state, handle, depth: depth + 1) }
      return
    case .table(let table):
      node.kind = GLB_TABLE
      node.size = table.count
      glb_add(handle, tape, node)
      try table.forEachPair { key, value throws(GRAOError) in
        add(key, to: tape, handle)
        try write(value, to: tape, state, handle, depth: depth + 1)
      }
      return
    case .object(let object):
      node = try state.node(of: object)
    }
    glb_add(handle, tape, node)
  }

  /// The elements where all are integers: token ids, most of what a reward gets.
  private static func integers(_ elements: [Value]) -> [Int64]? {
    guard case .integer? = elements.first else { return nil }
    var integers: [Int64] = []
    integers.reserveCapacity(elements.count)
    for element in elements {
      guard case .integer(let value) = element else { return nil }
      integers.append(Int64(value))
    }
    return integers
  }

  private static func add(_ text: String, to tape: UnsafeMutablePointer<glb_tape>, _ handle: OpaquePointer) {
    var text = text
    text.withUTF8 { glb_add_string(handle, tape, $0.baseAddress, $0.count) }
  }

  /// All values of the tape, which loses its objects and functions to them.
  static func values(of tape: UnsafeMutablePointer<glb_tape>, in state: LuaState) -> [Value] {
    var reader = Reader(tape: tape, state: state)
    var values: [Value] = []
    while reader.position < tape.pointee.count { values.append(reader.next()) }
    return values
  }

  private struct Reader {
    let tape: UnsafeMutablePointer<glb_tape>
    let state: LuaState
    var position = 0

    mutating func next() -> Value {
      guard position < tape.pointee.count, let node = tape.pointee.nodes?.advanced(by: position) else { return .null }
      position += 1
      switch node.pointee.kind {
      case GLB_BOOLEAN: return .boolean(node.pointee.integer != 0)
      case GLB_INTEGER: return .integer(Int(node.pointee.integer))
      case GLB_NUMBER: return .number(node.pointee.number)
      case GLB_STRING: return .string(text(node.pointee))
      case GLB_ARRAY:
        var elements: [Value] = []
        elements.reserveCapacity(node.pointee.size)
        for _ in 0..<node.pointee.size { elements.append(next()) }
        return .array(elements)
      case GLB_TABLE:
        var table = Table()
        for _ in 0..<node.pointee.size {
          guard case .string(let key) = next() else { return .null }
          table[key] = next()
        }
        return .table(table)
      case GLB_OBJECT:
        guard let object = node.pointee.object else { return .null }
        node.pointee.object = nil
        return .object(Unmanaged<AnyObject>.fromOpaque(object).takeRetainedValue())
      case GLB_LUA_FUNCTION:
        defer { node.pointee.tag = 0 }
        return .object(LuaFunction(reference: node.pointee.tag, state: state))
      default: return .null
      }
    }

    /// Bytes that are not UTF-8 become U+FFFD.
    private func text(_ node: glb_node) -> String {
      guard let bytes = tape.pointee.bytes, node.size > 0 else { return "" }
      let start = UnsafeRawPointer(bytes).advanced(by: node.offset)
      return String(decoding: UnsafeRawBufferPointer(start: start, count: node.size), as: UTF8.self)
    }
  }
}
