import Values

/// Gemma 2 (arXiv 2408.00118): as Gemma, with norms before and after both branches, soft caps on attention's scores and on
/// logits, and a sliding window in every other layer. transformers: Gemma2ForCausalLM.
enum Gemma2: Architecture {
  static let modelType = "gemma2"
  static let className = "Gemma2ForCausalLM"

  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan {
    let rules = DecoderRules.gemma(activation: "hidden_activation", context: 8192, keyValueHeads: 4)
    let shape = try DecoderShape(config, ropeBase: 10_000, epsilon: 1e-6, rules: rules)
    let style = DecoderStyle(
      norms: .both, windows: try config.alternatingWindows(layers: shape.layers, period: 2, default: 4096),
      attentionScale: try config.gemmaAttentionScale(),
      attentionSoftcap: try config.softcap("attn_logit_softcapping", default: 50),
      logitsSoftcap: try config.softcap("final_logit_softcapping", default: 30))
    let decoder = try shape.gemma(config, in: store, style)
    return ArchitecturePlan(shape, decoder, expertsPerToken: 0)
  }
}
