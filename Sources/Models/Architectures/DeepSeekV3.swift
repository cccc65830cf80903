import Kernels
import Values

/// DeepSeek-V3 (arXiv 2412.19437), and Moonlight: latent attention; sigmoid routing within the best groups, balanced by a
/// correction of the choice (arXiv 2408.15664), and shared experts. transformers: DeepseekV3ForCausalLM.
enum DeepSeekV3: Architecture {
  static let modelType = "deepseek_v3"
  static let className = "DeepseekV3ForCausalLM"

  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan {
    try config.require("scoring_func", oneOf: ["sigmoid"], because: "deepseek_v3 routes by 'sigmoid'")
    try config.require("topk_method", oneOf: ["noaux_tc"], because: "deepseek_v3 chooses experts by 'noaux_tc'")
    let shape = try DeepSeekShape(
      config,
      DeepSeekShape.Defaults(context: 4096, experts: 256, sharedExperts: 1, denseLayers: 3, expertHidden: 2048),
      interleaved: try config.flag("rope_interleave", default: true))
    let perToken = try config.count("num_experts_per_tok", default: 8)
    let groups = try shape.groups(config, default: (8, 4), perToken: perToken)
    guard shape.experts / groups.count >= 2 else {
      throw config.failure("n_group", "must leave two experts or more in each group")
    }
    let rule = RoutingRule(
      perToken: perToken, scoring: .sigmoid, groups: groups.count, groupsKept: groups.kept, groupsByTwo: true,
      normalize: try config.flag("norm_topk_prob", default: true), epsilon: 1e-20,
      scale: Float(try config.number("routed_scaling_factor", default: 2.5)))
    return try shape.plan(in: store, rule: rule, balancing: .perSequenceByScore, isCorrected: true)
  }

  /// The layers that predict tokens further ahead come after the decoder's own.
  static func isIgnorable(_ tensor: String, _ config: Configuration) -> Bool {
    let key = config.table["num_nextn_predict_layers"] == nil ? "num_mtp_layers" : "num_nextn_predict_layers"
    guard let layers = config.table["num_hidden_layers"]?.integer,
      let extra = try? config.natural(key, default: 1)
    else { return false }
    return (0..<extra).contains { tensor.hasPrefix("model.layers.\(layers + $0).") }
  }
}
