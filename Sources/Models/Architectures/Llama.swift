import Values

/// Llama (arXiv 2302.13971): pre-norm, grouped-query attention, SwiGLU. transformers: LlamaForCausalLM.
enum Llama: Architecture {
  static let modelType = "llama"
  static let className = "LlamaForCausalLM"

  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan {
    let shape = try DecoderShape(config, ropeBase: 10_000, epsilon: 1e-6)
    let hidden = try config.count("intermediate_size")
    let bias = try config.flag("mlp_bias", default: false)
    let attentionBias = try config.flag("attention_bias", default: false)
    let style = DecoderStyle(queryKeyValueBias: attentionBias, outputBias: attentionBias)
    let decoder = try shape.decoder(in: store, style) { _, name in
      SwiGLU(name, channels: shape.channels, hidden: hidden, bias: bias, in: store)
    }
    return ArchitecturePlan(shape, decoder, expertsPerToken: 0)
  }
}

extension ArchitecturePlan {
  init(_ shape: DecoderShape, _ decoder: Decoder, expertsPerToken: Int) {
    let width = shape.heads.keyValues * shape.heads.size
    self.init(
      decoder: decoder, context: shape.context, vocabulary: shape.vocabulary, keyValueHeads: shape.heads.keyValues,
      headSize: shape.heads.size, keyValueWidth: KeyValueWidth(keys: width, values: width),
      expertsPerToken: expertsPerToken, balancing: expertsPerToken > 0 ? .acrossLayers : nil)
  }
}
