import Kernels
import Values

/// Qwen3 MoE (arXiv 2505.09388): as Llama, with norms on the heads of q and k, and top-k routed experts in the layers
/// that `decoder_sparse_step` and `mlp_only_layers` leave sparse. transformers: Qwen3MoeForCausalLM.
enum Qwen3MoE: Architecture {
  static let modelType = "qwen3_moe"
  static let className = "Qwen3MoeForCausalLM"

  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan {
    let shape = try DecoderShape(
      config, ropeBase: 10_000, epsilon: 1e-6, rules: DecoderRules(context: 32_768, keyValueHeads: 4))
    let (experts, perToken) = try config.experts(default: (128, 8))
    let expertHidden = try config.count("moe_intermediate_size", default: 768)
    let normalize = try config.flag("norm_topk_prob", default: false)
    let isSparse = try config.sparseLayers(shape.layers)
    let denseHidden = isSparse.allSatisfy { $0 } ? 0 : try config.count("intermediate_size")

    let attentionBias = try config.flag("attention_bias", default: false)
    let style = DecoderStyle(
      queryKeyValueBias: attentionBias, outputBias: attentionBias, queryKeyNorm: .heads,
      windows: try config.qwenSlidingWindows(layers: shape.layers, slides: nil))
    let decoder = try shape.decoder(in: store, style) { index, name in
      guard isSparse[index] else { return SwiGLU(name, channels: shape.channels, hidden: denseHidden, in: store) }
      return SparseFeedForward(
        layer: index, name, ExpertShape(count: experts, channels: shape.channels, hidden: expertHidden),
        rule: RoutingRule(perToken: perToken, normalize: normalize), in: store)
    }
    return ArchitecturePlan(shape, decoder, expertsPerToken: perToken)
  }
}
