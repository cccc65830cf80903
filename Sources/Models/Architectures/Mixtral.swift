import Kernels
import Values

/// Mixtral (arXiv 2401.04088): as Mistral, every feed-forward sparse, the chosen experts' probabilities renormalised.
/// transformers: MixtralForCausalLM.
enum Mixtral: Architecture {
  static let modelType = "mixtral"
  static let className = "MixtralForCausalLM"

  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan {
    try config.require("router_jitter_noise", oneOf: [0, 0.0], because: "noise on the router is not supported")
    let shape = try DecoderShape(
      config, ropeBase: 1_000_000, epsilon: 1e-5, rules: DecoderRules(context: 131_072, keyValueHeads: 8))
    let hidden = try config.count("intermediate_size")
    let (experts, perToken) = try config.experts(default: (8, 2))
    let style = DecoderStyle(
      windows: try config.slidingWindows(layers: shape.layers), feedForwardName: "block_sparse_moe")
    let decoder = try shape.decoder(in: store, style) { index, name in
      SparseFeedForward(
        layer: index, name, ExpertShape(count: experts, channels: shape.channels, hidden: hidden),
        rule: RoutingRule(perToken: perToken, normalize: true), names: .mixtral, in: store)
    }
    return ArchitecturePlan(shape, decoder, expertsPerToken: perToken)
  }
}
