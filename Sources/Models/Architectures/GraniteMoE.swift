import Kernels
import Values

/// Granite 3's mixtures of experts: as Mixtral, with scales on embeddings, attention's scores, the branches of every layer
/// and logits, and experts stored as stacks. transformers: GraniteMoeForCausalLM.
enum GraniteMoE: Architecture {
  static let modelType = "granitemoe"
  static let className = "GraniteMoeForCausalLM"
  static let classifierName: String? = nil

  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan {
    let shape = try DecoderShape(config, ropeBase: 10_000, epsilon: 1e-6)
    let hidden = try config.count("intermediate_size")
    let (experts, perToken) = try config.experts(default: (8, 2))
    let bias = try config.flag("attention_bias", default: false)
    func multiplier(_ key: String) throws(GRAOError) -> Float { Float(try config.positive(key, default: 1)) }
    let style = DecoderStyle(
      queryKeyValueBias: bias, outputBias: bias, attentionScale: try multiplier("attention_multiplier"),
      embeddingScale: try multiplier("embedding_multiplier"), residualScale: try multiplier("residual_multiplier"),
      logitsScale: 1 / (try multiplier("logits_scaling")), feedForwardName: "block_sparse_moe")
    let decoder = try shape.decoder(in: store, style) { index, name in
      SparseFeedForward(
        layer: index,
        router: Linear(
          name + ".router.layer", inputs: shape.channels, outputs: experts, isSingle: true, in: store),
        weights: ExpertWeights(
          gateUp: name + ".input_linear.weight", down: name + ".output_linear.weight",
          ExpertShape(count: experts, channels: shape.channels, hidden: hidden), in: store),
        rule: RoutingRule(perToken: perToken, normalize: true))
    }
    return ArchitecturePlan(shape, decoder, expertsPerToken: perToken)
  }
}
