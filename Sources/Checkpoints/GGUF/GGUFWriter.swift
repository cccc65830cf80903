import Values

/// Writes a model as a GGUF file that llama.cpp loads, in the memory of its largest tensor. Matrices have one type,
/// except that those whose rows it does not fit are float16; vectors, norms and routers are float32.
public struct GGUFWriter {
  /// The keys of a Hugging Face config.json.
  public var config: Table
  /// The model's tensors under the names of transformers 4's checkpoints, experts one by one; `fill` may be called more
  /// than once.
  public var tensors: [OutgoingTensor]
  /// The metadata keys `tokenizer.…`: of the GGUF file that the model came from, or made of its tokenizer.json. Without
  /// any, the file has no vocabulary and is good for ids only.
  public var tokenizer: Table
  /// What matrices are stored as.
  public var elementType: GGUFElementType

  /// - Parameter config: the keys of a Hugging Face config.json.
  public init(config: Table, tensors: [OutgoingTensor], tokenizer: Table, elementType: GGUFElementType) {
    self.config = config
    self.tensors = tensors
    self.tokenizer = tokenizer
    self.elementType = elementType
  }

  /// Writes all of it, or, failing, leaves `path` as it was. What llama.cpp does not compute as transformers does is an
  /// error that names the key of config.json or the tensor.
  public func write(to path: String) throws(GRAOError) {
    let (metadata, outgoing) = try plan(path)
    let header = GGUFHeader(metadata, outgoing)
    try replaceFile(path) { file throws(GRAOError) in
      try file.write(header.bytes)
      for tensor in outgoing { try tensor.write(to: file) }
    }
  }

  private func plan(_ path: String) throws(GRAOError) -> ([(key: String, value: GGUFValue)], [GGUFOutgoing]) {
    let modelType = config.given("model_type")?.string ?? "(none)"
    guard let architecture = GGUFArchitecture.find(modelType: modelType) else {
      let known = GGUFArchitecture.all.flatMap(\.modelTypes).sorted().joined(separator: ", ")
      throw GRAOError("\(path): a model of type \"\(modelType)\" cannot be written as GGUF; expected one of \(known)")
    }
    var metadata = GGUFMetadata(name: architecture.name)
    metadata.setWhole("general.architecture", .string(architecture.name))
    metadata.setWhole("general.type", .string("model"))
    metadata.setWhole("general.file_type", .unsigned(elementType.fileType))
    metadata.setWhole("general.quantization_version", .unsigned(2))
    for trait in architecture.traits { try trait.write(config, to: &metadata) }
    var outgoing = try GGUFLayout(architecture, config: config, tensors: tensors, type: elementType).outgoing
    guard let rows = outgoing.first(where: { $0.name == "token_embd.weight" })?.shape.first,
      let vocabulary = UInt32(exactly: rows)
    else { throw GRAOError("\(path): there is no tensor \"model.embed_tokens.weight\"") }
    metadata.set("vocab_size", .unsigned(vocabulary))
    for (name, elements) in metadata.vectors {
      outgoing.append(
        try GGUFOutgoing(name, [elements.count], .f32) { put throws(GRAOError) in
          let result: Result<Void, GRAOError> = elements.withUnsafeBufferPointer { buffer in
            Result { () throws(GRAOError) in try put(buffer) }
          }
          try result.get()
        })
    }
    try addTokenizer(to: &metadata, rows: rows, path)
    return (metadata.entries, outgoing)
  }

  /// The keys of the tokenizer, its lists filled up to the rows of the embedding.
  private func addTokenizer(to metadata: inout GGUFMetadata, rows: Int, _ path: String) throws(GRAOError) {
    let tokens = tokenizer["tokenizer.ggml.tokens"]?.array
    guard let tokens else { return metadata.setWhole("tokenizer.ggml.model", .string("none")) }
    guard tokens.count <= rows else {
      throw GRAOError("\(path): the tokenizer has \(tokens.count) tokens, but the embedding only \(rows) rows")
    }
    for (key, value) in tokenizer where key.hasPrefix("tokenizer.") {
      var value = value
      if let list = value.array, list.count == tokens.count {
        let missing = tokens.count..<rows
        switch key {
        case "tokenizer.ggml.tokens": value = .array(list + missing.map { .string("[PAD\($0)]") })
        // 5: unused.
        case "tokenizer.ggml.token_type": value = .array(list + missing.map { _ in 5 })
        case "tokenizer.ggml.scores": value = .array(list + missing.map { _ in .number(-10_000) })
        default: break
        }
      }
      guard let typed = GGUFValue(value) else {
        throw GRAOError("\(path): the metadata key \"\(key)\" cannot be written: it is \(value.kind)")
      }
      metadata.setWhole(key, typed)
    }
  }
}
