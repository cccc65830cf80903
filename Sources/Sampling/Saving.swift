import Checkpoints
import Models
import Values

extension Model {
  /// Writes a Hugging Face directory that transformers loads: the old directory or the new one, never half.
  /// - Parameters:
  ///   - elementType: float32, float16 or bfloat16; without one, an untrained model keeps the types its files had, weights
  ///     of 8 and 4 bits byte for byte, and a trained one is written in float32.
  ///   - maxShardBytes: the tensors of one file take no more, a single larger one excepted.
  ///   - valueHead: whether a policy's value head, which ppo gives it, is written too; transformers' language models do
  ///     not know the tensor.
  public func save(
    _ directory: String, elementType: ElementType? = nil, maxShardBytes: Int = 5_000_000_000, valueHead: Bool = false
  ) throws(GRAOError) {
    try checkOpen()
    if valueHead, network.scoreHead == nil {
      throw GRAOError("the model has no value head: method ppo gives it one")
    }
    let quantized = elementType == nil && !network.isTrained ? self.quantized : []
    let written = network.savedTensors(withHead: valueHead).filter { tensor, _ in
      quantized.isEmpty || stored(tensor.name) != .quantized
    }
    let tensors = written.map { tensor, parameters in
      let type = elementType ?? (network.isTrained ? .float32 : stored(tensor.name)?.saved ?? .float32)
      let info = TensorInfo(name: tensor.name, shape: tensor.shape, elementType: type)
      return OutgoingTensor(info) { parameters.get(tensor, into: $0) }
    }
    var config = config
    let types = Set(tensors.map(\.info.elementType.rawValue))
    config[config["dtype"] == nil ? "torch_dtype" : "dtype"] = .string(types.count == 1 ? types.first ?? "" : "float32")

    var files = tokenizer?.files() ?? []
    if let generationConfig = origin.generationConfig {
      let text = try JSON.print(.table(generationConfig), pretty: true) + "\n"
      files.append(("generation_config.json", Array(text.utf8)))
    }
    try CheckpointWriter(
      config: config, tensors: tensors + carried(besides: quantized) + quantized, files: files,
      maxShardBytes: maxShardBytes
    )
    .write(to: directory)
  }

  /// Writes a GGUF file that llama.cpp loads: the old file or the new one, never half. What llama.cpp has no place for,
  /// or computes otherwise, is an error that names it.
  public func saveGGUF(_ path: String, type: GGUFElementType = .f32) throws(GRAOError) {
    try checkLanguageModel()
    let parameters = network.parameters
    let tensors = parameters.tensors.map { tensor in
      let info = TensorInfo(name: tensor.name, shape: tensor.shape, elementType: .float32)
      return OutgoingTensor(info) { parameters.get(tensor, into: $0) }
    }
    var metadata = origin.ggufTokenizer ?? Table()
    if metadata.isEmpty, let tokenizer {
      metadata = try tokenizer.ggufMetadata(stops: endOfSequence.sorted().map { Int($0) })
    }
    try GGUFWriter(config: config, tensors: tensors, tokenizer: metadata, elementType: type)
      .write(to: path)
  }

  /// config.json, with what it left to defaults where others might take other numbers.
  private var config: Table {
    var config = network.savedConfiguration
    if config["num_key_value_heads"] == nil { config["num_key_value_heads"] = .integer(network.plan.keyValueHeads) }
    if config["head_dim"] == nil { config["head_dim"] = .integer(network.plan.headSize) }
    return config
  }

  private func stored(_ tensor: String) -> ElementType? { origin.checkpoint?.tensors[tensor]?.elementType }

  /// What the model's safetensors files hold in 8 or 4 bits, with the factors that belong to it, byte for byte.
  private var quantized: [OutgoingTensor] {
    guard let checkpoint = origin.checkpoint else { return [] }
    return checkpoint.rawNames.filter { checkpoint.tensors[$0].map { $0.elementType == .quantized } ?? true }
      .compactMap { name in checkpoint.raw(name).map { OutgoingTensor($0, isQuantized: true) } }
  }

  /// Tensors of the model's files that the network does not use: as they were, but for those of 8 bits, which are
  /// written as numbers unless they are `kept`. A tied head is the embedding again, and is left out.
  private func carried(besides kept: [OutgoingTensor]) -> [OutgoingTensor] {
    guard let checkpoint = origin.checkpoint else { return [] }
    let kept = Set(kept.map(\.info.name))
    return network.ignoredTensors.compactMap { name in
      if name == "lm_head.weight" || kept.contains(name) { return nil }
      if stored(name) != .quantized, let raw = checkpoint.raw(name) { return OutgoingTensor(raw) }
      guard var info = checkpoint.tensors[name] else { return nil }
      info.elementType = .float32
      return OutgoingTensor(info) { elements throws(GRAOError) in try checkpoint.read(name, into: elements) }
    }
  }
}
