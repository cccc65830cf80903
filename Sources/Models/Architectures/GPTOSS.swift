import Kernels
import Values

/// gpt-oss (arXiv 2508.10925): attention sinks, a sliding window in every other layer, biases in every projection, YaRN
/// without rounding, and experts of clamped gated units whose gate and up are interleaved in one transposed tensor.
/// transformers: GptOssForCausalLM.
enum GPTOSS: Architecture {
  static let modelType = "gpt_oss"
  static let className = "GptOssForCausalLM"

  /// What `rope_parameters` are where config.json has none.
  private static var rotary: Table {
    [
      "rope_type": "yarn", "factor": 32, "beta_fast": 32, "beta_slow": 1, "truncate": false,
      "original_max_position_embeddings": 4096,
    ]
  }

  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan {
    var table = config.table
    if ["rope_parameters", "rope_scaling"].allSatisfy({ table[$0]?.unlessNull == nil }) {
      table["rope_parameters"] = .table(rotary)
    }
    let rules = DecoderRules(context: 131_072, keyValueHeads: 8, headSize: 64)
    let shape = try DecoderShape(
      Configuration(table, source: config.source), ropeBase: 150_000, epsilon: 1e-5, rules: rules)
    let (experts, perToken) = try config.experts(default: (128, 4))
    let expertShape = ExpertShape(
      count: experts, channels: shape.channels, hidden: try config.count("intermediate_size"))
    let activation = Activation.clamped(
      alpha: Float(try config.positive("swiglu_alpha", default: 1.702)),
      limit: Float(try config.positive("swiglu_limit", default: 7)))
    let bias = try config.flag("attention_bias", default: true)
    let style = DecoderStyle(
      queryKeyValueBias: bias, outputBias: bias,
      windows: try config.alternatingWindows(layers: shape.layers, period: 2, default: 128), hasSinks: true)
    let decoder = try shape.decoder(in: store, style) { index, name in
      let router = name + ".router"
      return SparseFeedForward(
        layer: index,
        router: Linear(
          weight: store.matrix(router + ".weight", experts, shape.channels),
          bias: store.vector(router + ".bias", experts, .normal)),
        weights: ExpertWeights(interleaved: name + ".experts", expertShape, in: store),
        rule: RoutingRule(perToken: perToken, normalize: true), activation: activation)
    }
    return ArchitecturePlan(shape, decoder, expertsPerToken: perToken)
  }
}
