import Values

/// Reads the header of a GGUF file from front to back; every step checks what is left of the file.
struct GGUFReader {
  /// What the list of tensors says of one.
  struct TensorHead {
    let name: String
    /// Row-major: the reverse of what the file says.
    let shape: [Int]
    let type: UInt32
    /// From the start of the data.
    let offset: UInt64
  }

  let bytes: UnsafeRawBufferPointer
  let path: String
  var position: Int

  private var left: Int { bytes.count - position }

  private func cutOff(_ what: String) -> GRAOError {
    GRAOError("\(path): the file ends within \(what) (is it cut off?)")
  }

  mutating func take<T: BitwiseCopyable>(_ type: T.Type, _ what: @autoclosure () -> String) throws(GRAOError) -> T {
    guard left >= MemoryLayout<T>.size else { throw cutOff(what()) }
    defer { position += MemoryLayout<T>.size }
    return bytes.loadUnaligned(fromByteOffset: position, as: T.self)
  }

  /// A number of things of which each takes `unit` bytes at least.
  mutating func count(_ what: @autoclosure () -> String, unit: Int) throws(GRAOError) -> Int {
    let count = try take(UInt64.self, what())
    guard count <= UInt64(left / unit) else {
      throw GRAOError("\(path): \(what()) is \(count), more than the file has room for (is it cut off?)")
    }
    return Int(count)
  }

  mutating func string(_ what: @autoclosure () -> String) throws(GRAOError) -> String {
    let length = try take(UInt64.self, what())
    guard length <= UInt64(left) else { throw cutOff(what()) }
    let end = position + Int(length)
    defer { position = end }
    return String(decoding: UnsafeRawBufferPointer(rebasing: bytes[position..<end]), as: UTF8.self)
  }

  /// A text that names something, and stands in messages.
  mutating func name(_ what: String) throws(GRAOError) -> String {
    let name = try string(what)
    guard name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
      throw GRAOError("\(path): \(what) holds bytes that are no text (is the file damaged?)")
    }
    return name
  }

  mutating func tensorHead() throws(GRAOError) -> TensorHead {
    let name = try name("the name of a tensor")
    let dimensions = try take(UInt32.self, "tensor \"\(name)\"")
    guard (1...8).contains(dimensions) else {
      throw GRAOError("\(path): tensor \"\(name)\" has \(dimensions) dimensions; expected 1 to 8")
    }
    var shape: [Int] = []
    for _ in 0..<dimensions {
      guard let size = Int(exactly: try take(UInt64.self, "tensor \"\(name)\"")) else {
        throw GRAOError("\(path): tensor \"\(name)\" has a dimension that is too large")
      }
      shape.append(size)
    }
    let type = try take(UInt32.self, "tensor \"\(name)\"")
    return TensorHead(
      name: name, shape: shape.reversed(), type: type, offset: try take(UInt64.self, "tensor \"\(name)\""))
  }

  /// The value of a metadata key, its type first.
  mutating func value(_ key: String) throws(GRAOError) -> Value {
    try value(key, type: try take(UInt32.self, "the metadata key \"\(key)\""), depth: 0)
  }

  private mutating func value(_ key: String, type: UInt32, depth: Int) throws(GRAOError) -> Value {
    func what() -> String { "the metadata key \"\(key)\"" }
    switch type {
    case 0: return .integer(Int(try take(UInt8.self, what())))
    case 1: return .integer(Int(try take(Int8.self, what())))
    case 2: return .integer(Int(try take(UInt16.self, what())))
    case 3: return .integer(Int(try take(Int16.self, what())))
    case 4: return .integer(Int(try take(UInt32.self, what())))
    case 5: return .integer(Int(try take(Int32.self, what())))
    case 6: return .number(Double(try take(Float.self, what())))
    case 7: return .boolean(try take(UInt8.self, what()) != 0)
    case 8: return .string(try string(what()))
    case 9: return try array(key, depth: depth)
    case 10:
      let value = try take(UInt64.self, what())
      return Int(exactly: value).map { .integer($0) } ?? .number(Double(value))
    case 11: return .integer(Int(try take(Int64.self, what())))
    case 12: return .number(try take(Double.self, what()))
    default: throw GRAOError("\(path): \(what()) has an unknown type, \(type)")
    }
  }

  private mutating func array(_ key: String, depth: Int) throws(GRAOError) -> Value {
    guard depth < 8 else { throw GRAOError("\(path): the metadata key \"\(key)\" nests arrays too deep") }
    let type = try take(UInt32.self, "the metadata key \"\(key)\"")
    let unit =
      switch type {
      case 0, 1, 7: 1
      case 2, 3: 2
      case 4, 5, 6: 4
      case 9: 12
      default: 8
      }
    let count = try count("the length of the metadata key \"\(key)\"", unit: unit)
    var elements: [Value] = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(try value(key, type: type, depth: depth + 1)) }
    return .array(elements)
  }
}
