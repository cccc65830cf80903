import Kernels
import Values

/// Qwen1.5-MoE and Qwen2-MoE (arXiv 2407.10671): as Qwen2, with routed experts and a gated shared one in the layers that
/// `decoder_sparse_step` and `mlp_only_layers` leave sparse. transformers: Qwen2MoeForCausalLM.
enum Qwen2MoE: Architecture {
  static let modelType = "qwen2_moe"
  static let className = "Qwen2MoeForCausalLM"

  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan {
    let shape = try DecoderShape(
      config, ropeBase: 10_000, epsilon: 1e-6, rules: DecoderRules(context: 32_768, keyValueHeads: 16))
    let (experts, perToken) = try config.experts(default: (60, 4))
    let expertHidden = try config.count("moe_intermediate_size", default: 1408)
    let sharedHidden = try config.count("shared_expert_intermediate_size", default: 5632)
    let normalize = try config.flag("norm_topk_prob", default: false)
    let isSparse = try config.sparseLayers(shape.layers)
    let denseHidden = isSparse.allSatisfy { $0 } ? 0 : try config.count("intermediate_size")
    let style = DecoderStyle(
      queryKeyValueBias: try config.flag("qkv_bias", default: true),
      windows: try config.qwenSlidingWindows(layers: shape.layers) { $0 % 2 == 0 && $0 < $1 })

    let decoder = try shape.decoder(in: store, style) { index, name in
      guard isSparse[index] else { return SwiGLU(name, channels: shape.channels, hidden: denseHidden, in: store) }
      return SharedExpert(
        routed: SparseFeedForward(
          layer: index, name, ExpertShape(count: experts, channels: shape.channels, hidden: expertHidden),
          rule: RoutingRule(perToken: perToken, normalize: normalize), in: store),
        shared: SwiGLU(name + ".shared_expert", channels: shape.channels, hidden: sharedHidden, in: store),
        gate: Linear(name + ".shared_expert_gate", inputs: shape.channels, outputs: 1, in: store))
    }
    return ArchitecturePlan(shape, decoder, expertsPerToken: perToken)
  }
}
