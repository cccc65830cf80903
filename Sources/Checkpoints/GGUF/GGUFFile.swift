import Values

/// A GGUF file (version 2 or 3), mapped: metadata, the list of its tensors, and their elements. Every count, length and
/// offset is checked against the file before it is used.
final class GGUFFile {
  struct Tensor {
    let name: String
    /// Row-major: the reverse of what the file says.
    let shape: [Int]
    let type: GGUFType
    /// Where the tensor lies in the file, in bytes.
    let range: Range<Int>
  }

  let path: String
  let metadata: Table
  let tensors: [Tensor]
  private let file: MappedFile

  static func hasMagic(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.starts(with: "GGUF".utf8) }

  init(_ file: MappedFile) throws(GRAOError) {
    let path = file.path
    guard Self.hasMagic(file.bytes) else { throw GRAOError("\(path): not a GGUF file (it does not start with GGUF)") }
    var reader = GGUFReader(bytes: file.bytes, path: path, position: 4)
    let version = try reader.take(UInt32.self, "the version")
    guard version == 2 || version == 3 else {
      let hint = version.byteSwapped == 2 || version.byteSwapped == 3 ? " (it is big-endian)" : ""
      throw GRAOError("\(path): GGUF version \(version)\(hint); expected 2 or 3, little-endian")
    }
    // A tensor takes 24 bytes of the header at least, a key 13.
    let tensorCount = try reader.count("the number of tensors", unit: 24)
    let keyCount = try reader.count("the number of metadata keys", unit: 13)
    var metadata = Table()
    for _ in 0..<keyCount {
      let key = try reader.name("a metadata key")
      guard metadata[key] == nil else { throw GRAOError("\(path): the metadata key \"\(key)\" stands there twice") }
      metadata[key] = try reader.value(key)
    }
    var heads: [GGUFReader.TensorHead] = []
    for _ in 0..<tensorCount { heads.append(try reader.tensorHead()) }

    let alignment = metadata["general.alignment"] ?? 32
    guard let alignment = alignment.integer, alignment > 0, alignment <= 1 << 20, alignment & (alignment - 1) == 0
    else {
      throw GRAOError("\(path): general.alignment: expected a power of two")
    }
    let dataStart = (reader.position + alignment - 1) / alignment * alignment
    self.file = file
    self.path = path
    self.metadata = metadata
    tensors = try Self.place(heads, dataStart: dataStart, end: file.bytes.count, alignment: alignment, path: path)
  }

  private static func place(
    _ heads: [GGUFReader.TensorHead], dataStart: Int, end: Int, alignment: Int, path: String
  ) throws(GRAOError) -> [Tensor] {
    var tensors: [Tensor] = []
    var names: Set<String> = []
    for head in heads {
      let what = "\(path): tensor \"\(head.name)\""
      guard names.insert(head.name).inserted else { throw GRAOError("\(what) stands there twice") }
      guard let type = GGUFType.numbered(head.type) else {
        throw GRAOError("\(what) has an unknown type, \(head.type)")
      }
      guard let row = head.shape.last, row % type.blockElements == 0 else {
        throw GRAOError("\(what): rows of \(head.shape.last ?? 0) elements are not whole blocks of \(type.name)")
      }
      guard let elements = product(of: head.shape),
        let bytes = product(of: [elements / type.blockElements, type.blockBytes])
      else { throw GRAOError("\(what): the shape \(head.shape) is too large") }
      guard head.offset % UInt64(alignment) == 0 else {
        throw GRAOError("\(what): the offset \(head.offset) is not a multiple of \(alignment)")
      }
      guard let offset = Int(exactly: head.offset), end >= dataStart, offset <= end - dataStart,
        bytes <= end - dataStart - offset
      else { throw GRAOError("\(what) reaches beyond the end of the file (is it cut off?)") }
      tensors.append(
        Tensor(
          name: head.name, shape: head.shape, type: type,
          range: dataStart + offset..<dataStart + offset + bytes))
    }
    var position = dataStart
    for tensor in tensors.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) where !tensor.range.isEmpty {
      guard tensor.range.lowerBound >= position else {
        throw GRAOError("\(path): tensor \"\(tensor.name)\" overlaps the one before it")
      }
      position = tensor.range.upperBound
    }
    return tensors
  }

  /// Decodes the elements of a tensor from number `first` on, which begins a block, to fill `destination` with whole
  /// blocks; the caller has checked that the tensor has as many.
  func read(
    _ tensor: Tensor, from first: Int, into destination: UnsafeMutableBufferPointer<Float>
  ) throws(GRAOError) {
    guard let decode = tensor.type.decode else {
      throw GRAOError(
        "\(path): tensor \"\(tensor.name)\" has the type \(tensor.type.name); expected F32, F16, BF16, Q8_0, Q4_0, Q4_1, "
          + "Q5_0, Q5_1, Q2_K to Q6_K or MXFP4")
    }
    guard let start = file.bytes.baseAddress else { return }
    decode(start + tensor.range.lowerBound + first / tensor.type.blockElements * tensor.type.blockBytes, destination)
  }

  /// Gives back the memory that elements from number `first` on were read through.
  func forget(_ tensor: Tensor, from first: Int, _ count: Int) {
    let place = tensor.range.lowerBound + first / tensor.type.blockElements * tensor.type.blockBytes
    file.forget(place..<place + count / tensor.type.blockElements * tensor.type.blockBytes)
  }
}
