import Values

/// DeepSeek's router: V2 scores experts by softmax, V3 by sigmoid.
struct GGUFRouter: GGUFTrait {
  enum Scores: UInt32 {
    case softmax = 1
    case sigmoid = 2
  }

  let scores: Scores

  private static var keys: [GGUFKey] {
    [
      GGUFKey("n_group", "expert_group_count", byDefault: 1),
      GGUFKey("topk_group", "expert_group_used_count", byDefault: 1),
      GGUFKey("routed_scaling_factor", "expert_weights_scale", .number, byDefault: 1.0),
      GGUFKey("norm_topk_prob", "expert_weights_norm", .boolean, byDefault: false),
    ]
  }

  func read(_ file: GGUFSource, into config: inout Table) throws(GRAOError) {
    for key in Self.keys { try key.read(file, into: &config) }
    config["scoring_func"] = .string("\(scores)")
    let isGrouped = (config["n_group"]?.integer ?? 1) > 1
    config["topk_method"] =
      scores == .sigmoid ? "noaux_tc" : isGrouped ? "group_limited_greedy" : "greedy"
  }

  func write(_ config: Table, to metadata: inout GGUFMetadata) throws(GRAOError) {
    for key in Self.keys { try key.write(config, to: &metadata) }
    guard (config.given("scoring_func") ?? "\(scores)") == .string("\(scores)") else {
      throw config.configFailure("scoring_func", "\(scores)")
    }
    metadata.set("expert_gating_func", .unsigned(scores.rawValue))
  }

  /// What a file says; where it says nothing, V3 is known by its biases of scores.
  static func scores(in file: GGUFSource) throws(GRAOError) -> Scores {
    guard let value = file.value("expert_gating_func"), value != 0 else {
      return file.file.tensors.contains { $0.name.hasSuffix(".exp_probs_b.bias") } ? .sigmoid : .softmax
    }
    guard let number = value.integer, let known = UInt32(exactly: number).flatMap(Scores.init) else {
      throw file.expected("expert_gating_func", "1 (softmax) or 2 (sigmoid)")
    }
    return known
  }
}
