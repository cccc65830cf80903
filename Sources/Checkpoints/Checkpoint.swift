import Values

/// A model as it lies on disk: its configuration and its tensors, under the names that the architecture has in Hugging
/// Face transformers, whatever the file format. Its files are validated when it is opened; elements are read on demand.
public protocol Checkpoint: AnyObject {
  /// The path it was opened with, for messages.
  var path: String { get }
  /// The keys of a Hugging Face config.json.
  var config: Table { get }
  /// The keys of a generation_config.json, where there is one.
  var generationConfig: Table? { get }
  /// Every tensor by its name.
  var tensors: [String: TensorInfo] { get }
  /// Where the tokenizer is described.
  var tokenizer: TokenizerSource { get }

  /// Reads one tensor as row-major float32. Several threads may read at once.
  /// - Parameter destination: as many elements as the tensor's shape says.
  func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws(GRAOError)

  /// Reads some rows of one tensor: rows run over all dimensions but the last.
  /// - Parameter destination: as many elements as the rows have.
  func read(
    _ name: String, rows: Range<Int>, into destination: UnsafeMutableBufferPointer<Float>
  ) throws(GRAOError)

  /// Every tensor that the files hold in a form that .safetensors files have, those beside `tensors` too: the factors
  /// of weights stored in 8 bits. Sorted; none for a GGUF file.
  var rawNames: [String] { get }
  /// One of those, byte for byte.
  func raw(_ name: String) -> RawTensor?
}

/// Where a checkpoint's tokenizer is described.
public enum TokenizerSource {
  /// A directory with tokenizer.json and its companions.
  case directory(String)
  /// The metadata of a GGUF file: the keys `tokenizer.…`.
  case gguf(Table)
  /// There is none.
  case none
}

/// Opens a Hugging Face model directory or a GGUF file, and validates it: every size and offset is checked against the
/// files before anything is read through it.
public func openCheckpoint(_ path: String) throws(GRAOError) -> any Checkpoint {
  guard let kind = try fileKind(path) else { throw GRAOError("\(path): there is no such file or directory") }
  if kind == .directory { return try HuggingFaceDirectory(path) }
  if path.hasSuffix(".safetensors") {
    throw GRAOError("\(path): give the directory that holds it, with its config.json")
  }
  let file = try MappedFile(path)
  guard path.hasSuffix(".gguf") || GGUFFile.hasMagic(file.bytes) else {
    throw GRAOError("\(path): expected a model directory or a GGUF file")
  }
  return try GGUFCheckpoint(file)
}

extension Checkpoint {
  /// None, unless a format has them.
  public var rawNames: [String] { [] }
  public func raw(_ name: String) -> RawTensor? { nil }

  /// By way of the whole tensor.
  public func read(
    _ name: String, rows: Range<Int>, into destination: UnsafeMutableBufferPointer<Float>
  ) throws(GRAOError) {
    guard let info = tensors[name] else { throw missing(name) }
    let whole = UnsafeMutableBufferPointer<Float>.allocate(capacity: info.elementCount)
    defer { whole.deallocate() }
    try read(name, into: whole)
    let elements = try check(info, rows, fit: destination)
    for (index, element) in whole[elements].enumerated() { destination[index] = element }
  }

  /// Fails where `destination` does not have the size of the tensor.
  func check(_ info: TensorInfo, fits destination: UnsafeMutableBufferPointer<Float>) throws(GRAOError) {
    guard destination.count == info.elementCount else {
      throw GRAOError(
        "\(path): tensor \"\(info.name)\" has \(info.elementCount) elements \(info.shape), "
          + "but room was given for \(destination.count)")
    }
  }

  /// The elements of a tensor's rows; fails where there are no such rows, or `destination` does not have their size.
  func check(
    _ info: TensorInfo, _ rows: Range<Int>, fit destination: UnsafeMutableBufferPointer<Float>
  ) throws(GRAOError) -> Range<Int> {
    let width = info.columns
    guard rows.lowerBound >= 0, rows.upperBound <= info.rows, destination.count == rows.count * width else {
      throw GRAOError(
        "\(path): tensor \"\(info.name)\" has \(info.rows) rows of \(width) elements \(info.shape), "
          + "but rows \(rows) were asked for, with room for \(destination.count)")
    }
    return rows.lowerBound * width..<rows.upperBound * width
  }

  func missing(_ name: String) -> GRAOError { GRAOError("\(path): there is no tensor \"\(name)\"") }
}
