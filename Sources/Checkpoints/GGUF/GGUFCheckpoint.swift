import Values

/// A model in a GGUF file, seen as the Hugging Face directory that it was made from.
final class GGUFCheckpoint: Checkpoint {
  let path: String
  let config: Table
  let generationConfig: Table?
  let tensors: [String: TensorInfo]
  /// None where the file says so: a vocabulary of ids only.
  var tokenizer: TokenizerSource {
    file.metadata["tokenizer.ggml.model"]?.string == "none" ? .none : .gguf(file.metadata)
  }
  private let file: GGUFFile
  private let views: [String: GGUFView]

  init(_ file: MappedFile) throws(GRAOError) {
    self.file = try GGUFFile(file)
    path = file.path
    let translation = try GGUFTranslation(self.file)
    config = translation.config
    generationConfig = translation.generationConfig
    views = translation.views
    var tensors: [String: TensorInfo] = [:]
    for (name, view) in views {
      tensors[name] = TensorInfo(name: name, shape: view.shape, elementType: view.tensor.type.elementType)
    }
    self.tensors = tensors
  }

  func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws(GRAOError) {
    guard let info = tensors[name] else { throw missing(name) }
    try check(info, fits: destination)
    try read(name, rows: 0..<info.rows, into: destination)
  }

  func read(
    _ name: String, rows: Range<Int>, into destination: UnsafeMutableBufferPointer<Float>
  ) throws(GRAOError) {
    guard let view = views[name], let info = tensors[name] else { throw missing(name) }
    _ = try check(info, rows, fit: destination)
    try view.read(rows: rows, from: file, into: destination)
  }
}
