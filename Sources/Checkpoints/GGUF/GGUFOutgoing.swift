import Values

/// A tensor of a GGUF file to be written.
struct GGUFOutgoing {
  typealias Floats = UnsafeMutableBufferPointer<Float>

  let name: String
  /// Row-major: the reverse of what the file says.
  let shape: [Int]
  let type: GGUFElementType
  let bytes: Int
  /// Gives the elements, whole rows at a time and in order, to `put`.
  let produce: (_ put: (UnsafeBufferPointer<Float>) throws(GRAOError) -> Void) throws(GRAOError) -> Void

  /// - Parameter wanted: the type of the file's matrices.
  init(
    _ name: String, _ shape: [Int], _ wanted: GGUFElementType,
    produce: @escaping ((UnsafeBufferPointer<Float>) throws(GRAOError) -> Void) throws(GRAOError) -> Void
  ) throws(GRAOError) {
    self.name = name
    self.shape = shape
    self.produce = produce
    type = Self.type(name, shape, wanted)
    guard shape.allSatisfy({ $0 > 0 }), shape.count <= 4, let count = product(of: shape), let bytes = type.bytes(count)
    else { throw GRAOError("cannot write tensor \"\(name)\" of shape \(shape) to a GGUF file") }
    self.bytes = bytes
  }

  private static func type(_ name: String, _ shape: [Int], _ wanted: GGUFElementType) -> GGUFElementType {
    // llama.cpp adds and multiplies by vectors in float32, and routes in float32.
    if shape.count < 2 || name.hasSuffix(".bias") || name.hasSuffix("_norm.weight") || name.contains(".ffn_gate_inp") {
      return .f32
    }
    return (shape.last ?? 0) % wanted.blockElements == 0 ? wanted : .f16
  }

  func write(to file: borrowing OutputFile) throws(GRAOError) {
    let piece = 1 << 18
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 * piece, alignment: 64)
    defer { room.deallocate() }
    guard let start = room.baseAddress else { return }
    try produce { elements throws(GRAOError) in
      var position = 0
      while position < elements.count {
        let count = min(piece, elements.count - position)
        type.encode(UnsafeBufferPointer(rebasing: elements[position..<position + count]), into: start)
        try file.write(UnsafeRawBufferPointer(start: start, count: type.bytes(count) ?? 0))
        position += count
      }
    }
    let padding = GGUFHeader.padded(bytes) - bytes
    if padding > 0 { try file.write([UInt8](repeating: 0, count: padding)) }
  }
}
