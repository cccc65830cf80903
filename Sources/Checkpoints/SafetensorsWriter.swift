import Values

/// The tensors of one .safetensors file to be written.
struct SafetensorsWriter {
  struct Item {
    let tensor: OutgoingTensor
    let dtype: String
    /// Bytes of one element, 1 for less.
    let alignment: Int
    let bytes: Int

    /// Nil for what the format does not hold.
    init?(_ tensor: OutgoingTensor) {
      self.tensor = tensor
      switch tensor.content {
      case .raw(let raw):
        dtype = raw.dtype
        bytes = raw.bytes.count
        alignment = max((SafetensorsType.bits[raw.dtype] ?? 8) / 8, 1)
      case .elements:
        guard let format = tensor.info.elementType.plain, let bytes = product(of: tensor.info.shape + [format.size])
        else { return nil }
        self.bytes = bytes
        alignment = format.size
        switch format {
        case .float32: dtype = "F32"
        case .float16: dtype = "F16"
        case .bfloat16: dtype = "BF16"
        }
      }
    }
  }

  private var items: [Item] = []
  private(set) var dataBytes = 0

  var names: [String] { items.map(\.tensor.info.name) }

  /// The caller has seen to it that the sum of bytes does not overflow.
  mutating func append(_ item: Item) {
    items.append(item)
    dataBytes += item.bytes
  }

  /// Makes the file `path` and brings it to the disk.
  func write(to path: String) throws(GRAOError) {
    // Wide elements first, so that every tensor is aligned to its elements.
    let sorted = items.sorted { ($1.alignment, $0.tensor.info.name) < ($0.alignment, $1.tensor.info.name) }
    let file = try OutputFile(path)
    try file.write(try header(sorted))
    var largest = 0
    for item in items where item.tensor.info.elementType.plain != nil {
      largest = max(largest, item.tensor.info.elementCount)
    }
    let room = UnsafeMutableBufferPointer<Float>.allocate(capacity: largest)
    defer { room.deallocate() }
    for item in sorted {
      switch item.tensor.content {
      case .raw(let raw): try file.write(raw.bytes)
      case .elements(let fill):
        guard let format = item.tensor.info.elementType.plain else { continue }
        let elements = UnsafeMutableBufferPointer(rebasing: room[..<item.tensor.info.elementCount])
        try fill(elements)
        try write(UnsafeBufferPointer(elements), as: format, to: file)
      }
    }
    try file.finish()
  }

  /// The length and the JSON text that stand before the data, padded so that the data is aligned to 8 bytes.
  private func header(_ items: [Item]) throws(GRAOError) -> [UInt8] {
    var table = Table()
    table["__metadata__"] = ["format": "pt"]
    var position = 0
    for item in items {
      table[item.tensor.info.name] = [
        "dtype": .string(item.dtype), "shape": .array(item.tensor.info.shape.map { .integer($0) }),
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
