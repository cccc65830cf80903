import Values

/// A model in a GGUF file, seen as the Hugging Face directory that it was made from.
final class GGUFCheckpoint: Checkpoint {
  let path: String
  let config: Table
  let generationConfig: Table?
  let tensors: [String: TensorInfo]
  var tokenizer: TokenizerSource { .gguf(file.metadata) }
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
    guard let view = views[name], let info = tensors[name] else { throw missing(name) }
    try check(info, fits: destination)
    guard let pairs = view.interleavedPairs else {
      return try file.read(view.tensor, from: view.firstElement, into: destination)
    }
    // Row 2 j + s of a head in the file is row s · pairs + j of the head here.
    let rows = view.shape[0]
    let width = destination.count / max(rows, 1)
    for row in 0..<rows {
      let (head, place) = row.quotientAndRemainder(dividingBy: 2 * pairs)
      let fileRow = head * 2 * pairs + place % pairs * 2 + place / pairs
      try file.read(
        view.tensor, from: view.firstElement + fileRow * width,
        into: UnsafeMutableBufferPointer(rebasing: destination[row * width..<(row + 1) * width]))
    }
  }
}
