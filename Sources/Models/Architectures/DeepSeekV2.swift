import Kernels
import Values

/// DeepSeek-V2 (arXiv 2405.04434): latent attention; softmax routing, greedy or within the best groups, and shared
/// experts. transformers: DeepseekV2ForCausalLM.
enum DeepSeekV2: Architecture {
  static let modelType = "deepseek_v2"
  static let className = "DeepseekV2ForCausalLM"

  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan {
    try config.require("scoring_func", oneOf: ["softmax"], because: "deepseek_v2 routes by 'softmax'")
    try config.require(
      "norm_topk_prob", oneOf: [false], because: "transformers does not normalise deepseek_v2's expert weights")
    let shape = try DeepSeekShape(
      config,
      DeepSeekShape.Defaults(context: 2048, experts: 64, sharedExperts: 2, denseLayers: 0, expertHidden: 1407),
      interleaved: true)
    let perToken = try config.count("num_experts_per_tok")
    var groups = (count: 1, kept: 1)
    switch config.table["topk_method"]?.string ?? "greedy" {
    case "greedy":
      guard perToken <= shape.experts else {
        throw config.failure("num_experts_per_tok", "must not exceed the \(shape.experts) experts")
      }
    case "group_limited_greedy":
      groups = try shape.groups(config, default: groups, perToken: perToken)
    case let method:
      throw config.failure("topk_method", "is '\(method)': expected greedy or group_limited_greedy")
    }
    let rule = RoutingRule(
      perToken: perToken, groups: groups.count, groupsKept: groups.kept,
      scale: Float(try config.number("routed_scaling_factor", default: 1)))
    return try shape.plan(
      in: store, rule: rule, balancing: config.flag("seq_aux", default: true) ? .perSequence : .perLayer,
      isCorrected: false, bias: config.flag("mlp_bias", default: false))
  }
}
