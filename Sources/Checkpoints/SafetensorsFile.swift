import Values

/// One .safetensors file, mapped: eight bytes with the length of the header, a JSON header that gives each tensor's
/// dtype, shape and place, and the elements. The whole header is checked against the file before anything is read.
package final class SafetensorsFile {
  /// What the header says of one tensor.
  package struct Entry {
    /// Its element type and shape.
    package let info: TensorInfo
    /// The file's word for the format: "F32", "BF16", …
    let dtype: String
    /// Where the tensor lies in the file, in bytes.
    let range: Range<Int>
  }

  /// Of the file.
  package let path: String
  /// By the tensors' names.
  package let entries: [String: Entry]
  private let file: MappedFile

  /// Maps the file and reads its header.
  /// - Throws: where the file cannot be read, or its header does not fit it.
  package init(_ path: String) throws(GRAOError) {
    let file = try MappedFile(path)
    let bytes = file.bytes
    guard bytes.count >= 8 else {
      throw GRAOError("\(path): \(bytes.count) bytes long, too short for a safetensors file (is it cut off?)")
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(bytes.count - 8) else {
      throw GRAOError(
        "\(path): its header should be \(length) bytes long, but the file has \(bytes.count) bytes (is it cut off?)")
    }
    let dataStart = 8 + Int(length)
    let header = try JSON.parse(
      UnsafeRawBufferPointer(rebasing: bytes[8..<dataStart]), source: "\(path): header", allowsDuplicates: false)
    guard let table = header.table else { throw GRAOError("\(path): header: expected an object") }

    var entries: [String: Entry] = [:]
    for (name, value) in table where name != "__metadata__" {
      entries[name] = try Self.entry(name, value, dataStart: dataStart, dataCount: bytes.count - dataStart, path: path)
    }
    try Self.checkPlaces(entries.values.sorted(by: Self.before), dataStart: dataStart, end: bytes.count, path: path)
    self.path = path
    self.file = file
    self.entries = entries
  }

  private static func entry(
    _ name: String, _ value: Value, dataStart: Int, dataCount: Int, path: String
  ) throws(GRAOError) -> Entry {
    let what = "\(path): tensor \"\(name)\""
    guard let dtype = value["dtype"]?.string else { throw GRAOError("\(what): expected a string \"dtype\"") }
    var shape: [Int] = []
    guard let dimensions = value["shape"]?.array else { throw GRAOError("\(what): expected an array \"shape\"") }
    for dimension in dimensions {
      guard case .integer(let size) = dimension, size >= 0 else {
        throw GRAOError("\(what): expected a \"shape\" of integers, none of them negative")
      }
      shape.append(size)
    }
    guard let offsets = value["data_offsets"]?.array, offsets.count == 2, case .integer(let start) = offsets[0],
      case .integer(let end) = offsets[1], start >= 0, start <= end
    else { throw GRAOError("\(what): expected two ascending integers in \"data_offsets\"") }
    guard end <= dataCount else {
      throw GRAOError("\(what) ends at byte \(end) of the data, but there are only \(dataCount) (is the file cut off?)")
    }
    guard let bits = SafetensorsType.bits[dtype] else { throw GRAOError("\(what) has the unknown dtype \"\(dtype)\"") }
    let size = product(of: shape + [bits])
    guard let size, size % 8 == 0, size / 8 == end - start else {
      throw GRAOError("\(what): \(end - start) bytes do not fit the shape \(shape) of \(dtype)")
    }
    return Entry(
      info: TensorInfo(name: name, shape: shape, elementType: SafetensorsType.elementType(dtype)), dtype: dtype,
      range: dataStart + start..<dataStart + end)
  }

  private static func before(_ left: Entry, _ right: Entry) -> Bool {
    (left.range.lowerBound, left.range.upperBound) < (right.range.lowerBound, right.range.upperBound)
  }

  /// The tensors must fill the data without hole or overlap.
  private static func checkPlaces(
    _ entries: [Entry], dataStart: Int, end: Int, path: String
  ) throws(GRAOError) {
    var position = dataStart
    for entry in entries {
      guard entry.range.lowerBound == position else {
        let fault = entry.range.lowerBound < position ? "overlaps the tensor before it" : "leaves a hole before it"
        throw GRAOError("\(path): tensor \"\(entry.info.name)\" \(fault)")
      }
      position = entry.range.upperBound
    }
    guard position == end else {
      throw GRAOError("\(path): \(end - position) bytes after the last tensor belong to none")
    }
  }

  /// The elements from number `first` on, to fill `destination`; the tensor has as many.
  package func read(
    _ entry: Entry, from first: Int = 0, into destination: UnsafeMutableBufferPointer<Float>
  ) throws(GRAOError) {
    guard let start = file.bytes.baseAddress else { return }
    if let format = entry.info.elementType.plain {
      let place = entry.range.lowerBound + first * format.size
      decode(start + place, as: format, into: destination)
      file.forget(place..<place + destination.count * format.size)
    } else if let format = Float8(rawValue: entry.dtype) {
      let place = entry.range.lowerBound + first
      format.decode(start + place, into: destination)
      file.forget(place..<place + destination.count)
    } else {
      throw GRAOError(
        "\(path): tensor \"\(entry.info.name)\" has the dtype \(entry.dtype); expected F32, F16, BF16, F8_E4M3 or F8_E5M2"
      )
    }
  }

  /// A tensor as it stands in the file.
  func raw(_ entry: Entry) -> RawTensor {
    RawTensor(
      name: entry.info.name, dtype: entry.dtype, shape: entry.info.shape,
      bytes: UnsafeRawBufferPointer(rebasing: file.bytes[entry.range]), owner: file)
  }
}
