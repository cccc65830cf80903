import Values

/// Gemma 3's language model (arXiv 2503.19786): norms before and after both branches, and on the heads of q and k, with
/// weights around 0; a gelu gate; embeddings times √C; most layers with a sliding window and rotary positions of their
/// own. transformers: Gemma3ForCausalLM, which gives `attn_logit_softcapping` no effect.
enum Gemma3: Architecture {
  static let modelType = "gemma3_text"
  static let className = "Gemma3ForCausalLM"
  static let classifierName: String? = "Gemma3TextForSequenceClassification"

  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan {
    try config.require(
      "use_bidirectional_attention", oneOf: [false], because: "attention to later tokens is not supported")
    try config.require(
      "final_logit_softcapping", oneOf: [], because: "a soft cap on logits is not supported")
    let rules = DecoderRules(
      activation: ("hidden_activation", ["gelu_pytorch_tanh"]), context: 131_072, tied: true, keyValueHeads: 4,
      headSize: 256, rotaryByLayerType: true)
    let shape = try DecoderShape(config, ropeBase: 1_000_000, epsilon: 1e-6, rules: rules)
    let hidden = try config.count("intermediate_size")
    let bias = try config.flag("attention_bias", default: false)

    let pattern = try config.count("sliding_window_pattern", default: 6)
    let windows = try config.slidingWindows(layers: shape.layers, default: 4096) { ($0 + 1) % pattern != 0 }
    guard config.table["sliding_window"]?.isNull != true else {
      throw config.failure("sliding_window", "is null: must be a positive integer")
    }
    let local = try RotaryEmbedding(
      config.rotary(
        ofLayers: "sliding_attention", baseKey: "rope_local_base_freq", defaultBase: 10_000, context: shape.context),
      headSize: shape.heads.size, config)

    let style = DecoderStyle(
      queryKeyValueBias: bias, outputBias: bias, queryKeyNorm: .heads, norms: .both, windows: windows,
      rotaries: windows.map { $0 == 0 ? shape.rotary : local },
      attentionScale: 1 / Float(try config.positive("query_pre_attn_scalar", default: 256)).squareRoot(),
      zeroCenteredNorms: true, embeddingScale: Float(shape.channels).squareRoot())
    let decoder = try shape.decoder(in: store, style) { _, name in
      SwiGLU(name, channels: shape.channels, hidden: hidden, activation: .gelu, in: store)
    }
    return ArchitecturePlan(shape, decoder, expertsPerToken: 0)
  }
}
