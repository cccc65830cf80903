import Kernels
import Values

/// OLMoE (arXiv 2409.02060): as Llama, with norms over all channels of q and k, every feed-forward sparse. transformers:
/// OlmoeForCausalLM.
enum OLMoE: Architecture {
  static let modelType = "olmoe"
  static let className = "OlmoeForCausalLM"
  static let classifierName: String? = nil

  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan {
    try config.require("clip_qkv", oneOf: [], because: "clipping of q, k and v is not supported")
    let shape = try DecoderShape(config, ropeBase: 10_000, epsilon: 1e-5, rules: DecoderRules(context: 4096))
    let hidden = try config.count("intermediate_size")
    let (experts, perToken) = try config.experts(default: (64, 8))
    let normalize = try config.flag("norm_topk_prob", default: false)
    let bias = try config.flag("attention_bias", default: false)
    let style = DecoderStyle(queryKeyValueBias: bias, outputBias: bias, queryKeyNorm: .whole)
    let decoder = try shape.decoder(in: store, style) { index, name in
      SparseFeedForward(
        layer: index, name, ExpertShape(count: experts, channels: shape.channels, hidden: hidden),
        rule: RoutingRule(perToken: perToken, normalize: normalize), in: store)
    }
    return ArchitecturePlan(shape, decoder, expertsPerToken: perToken)
  }
}
