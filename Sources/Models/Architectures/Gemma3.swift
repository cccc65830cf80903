import Values

/// Gemma 3's language model (arXiv 2503.19786): as Gemma 2, with norms on the heads of q and k in place of soft caps, and
/// rotary positions of their own in the layers with a sliding window, which are most. transformers: Gemma3ForCausalLM,
/// which gives `attn_logit_softcapping` no effect.
enum Gemma3: Architecture {
  static let modelType = "gemma3_text"
  static let className = "Gemma3ForCausalLM"
  static let classifierName: String? = "Gemma3TextForSequenceClassification"

  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan {
    var rules = DecoderRules.gemma(activation: "hidden_activation", context: 131_072, keyValueHeads: 4)
    rules.rotaryByLayerType = true
    let shape = try DecoderShape(config, ropeBase: 1_000_000, epsilon: 1e-6, rules: rules)
    let pattern = try config.count("sliding_window_pattern", default: 6)
    let windows = try config.alternatingWindows(layers: shape.layers, period: pattern, default: 4096)
    let local = try RotaryEmbedding(
      config.rotary(
        ofLayers: "sliding_attention", baseKey: "rope_local_base_freq", defaultBase: 10_000, context: shape.context),
      headSize: shape.heads.size, config)
    let style = DecoderStyle(
      queryKeyNorm: .heads, norms: .both, windows: windows, rotaries: windows.map { $0 == 0 ? shape.rotary : local },
      attentionScale: try config.gemmaAttentionScale(),
      logitsSoftcap: try config.softcap("final_logit_softcapping", default: nil))
    let decoder = try shape.gemma(config, in: store, style)
    return ArchitecturePlan(shape, decoder, expertsPerToken: 0)
  }
}
