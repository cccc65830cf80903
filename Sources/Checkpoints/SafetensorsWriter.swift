import Values

/// The tensors of one .safetensors file to be written.
struct SafetensorsWriter {
  private struct Item {
    let tensor: OutgoingTensor
    let format: PlainFormat
    let bytes: Int
  }

  private var items: [Item] = []
  private(set) var dataBytes = 0

  var names: [String] { items.map(\.tensor.info.name) }

  /// The caller has seen to it that the sum of `bytes` does not overflow.
  mutating func append(_ tensor: OutgoingTensor, format: PlainFormat, bytes: Int) {
    items.append(Item(tensor: tensor, format: format, bytes: bytes))
    dataBytes += bytes
  }

  /// Makes the file `path` and brings it to the disk.
  func write(to path: String) throws(GRAOError) {
    // Wide elements first, so that every tensor is aligned to its elements.
    let sorted = items.sorted { ($1.format.size, $0.tensor.info.name) < ($0.format.size, $1.tensor.info.name) }
    let file = try OutputFile(path)
    try file.write(try header(sorted))
    let room = UnsafeMutableBufferPointer<Float>.allocate(
      capacity: items.reduce(0) { max($0, $1.tensor.info.elementCount) })
    defer { room.deallocate() }
    for item in sorted {
      let elements = UnsafeMutableBufferPointer(rebasing: room[..<item.tensor.info.elementCount])
      try item.tensor.fill(elements)
      try write(UnsafeBufferPointer(elements), as: item.format, to: file)
    }
    try file.finish()
  }

  /// The length and the JSON text that stand before the data, padded so that the data is aligned to 8 bytes.
  private func header(_ items: [Item]) throws(GRAOError) -> [UInt8] {
    var table = Table()
    table["__metadata__"] = ["format": "pt"]
    var position = 0
    for item in items {
      let dtype =
        switch item.format {
        case .float32: "F32"
        case .float16: "F16"
        case .bfloat16: "BF16"
        }
      table[item.tensor.info.name] = [
        "dtype": .string(dtype), "shape": .array(item.tensor.info.shape.map { .integer($0) }),
        "data_offsets": [.integer(position), .integer(position + item.bytes)],
      ]
      position += item.bytes
    }
    var text = Array(try JSON.print(.table(table)).utf8)
    text += repeatElement(UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    let length = UInt64(text.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + text
  }

  /// Converts and writes a piece at a time.
  private func write(
    _ elements: UnsafeBufferPointer<Float>, as format: PlainFormat, to file: borrowing OutputFile
  ) throws(GRAOError) {
    guard format != .float32 else { return try file.write(UnsafeRawBufferPointer(elements)) }
    let pieceCount = 1 << 18
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceCount * format.size, alignment: 16)
    defer { piece.deallocate() }
    guard let start = piece.baseAddress else { return }
    var position = 0
    while position < elements.count {
      let count = min(pieceCount, elements.count - position)
      encode(UnsafeBufferPointer(rebasing: elements[position..<position + count]), as: format, into: start)
      try file.write(UnsafeRawBufferPointer(start: start, count: count * format.size))
      position += count
    }
  }
}
