import Checkpoints
import Tokenizers
import Values

extension Tokenizer {
  /// The tokenizer of a model directory or a GGUF file, without the model.
  /// - Parameter chatTemplate: a Jinja source in place of the files' chat template.
  public static func load(path: String, chatTemplate: String? = nil) throws(GRAOError) -> Tokenizer {
    if isDirectory(path) { return try load(directory: path, chatTemplate: chatTemplate) }
    let source = try openCheckpoint(path).tokenizer
    guard let tokenizer = try load(source, chatTemplate: chatTemplate, path: path) else {
      throw GRAOError("\(path): there is no tokenizer in it")
    }
    return tokenizer
  }

  /// What a checkpoint says of its tokenizer, as one; nil where it has none.
  static func load(
    _ source: TokenizerSource, chatTemplate: String?, path: String
  ) throws(GRAOError) -> Tokenizer? {
    switch source {
    case .directory(let directory): try load(directory: directory, chatTemplate: chatTemplate)
    case .gguf(let metadata): try Tokenizer(ggufMetadata: metadata, chatTemplate: chatTemplate, source: path)
    case .none: nil
    }
  }
}
