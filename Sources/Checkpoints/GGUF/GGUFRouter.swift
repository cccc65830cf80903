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
    let config = try regrouped(config)
    for key in Self.keys { try key.write(config, to: &metadata) }
    guard (config.given("scoring_func") ?? "\(scores)") == .string("\(scores)") else {
      throw config.configFailure("scoring_func", "\(scores)")
    }
    metadata.set("expert_gating_func", .unsigned(scores.rawValue))
  }

  /// What transformers takes where config.json lacks a key.
  private var defaults: Table {
    switch scores {
    case .softmax: ["n_group": 1, "topk_group": 1, "topk_method": "greedy"]
    case .sigmoid: ["n_group": 8, "topk_group": 4, "routed_scaling_factor": 2.5, "norm_topk_prob": true]
    }
  }

  /// One group where the choice is among all. llama.cpp scores a group by the sum of its two best experts, as V3 does, and
  /// V2, by its best, does not.
  private func regrouped(_ config: Table) throws(GRAOError) -> Table {
    var config = config
    for (key, value) in defaults where config.given(key) == nil { config[key] = value }
    let (groups, kept) = (try config.positive("n_group"), try config.positive("topk_group"))
    if kept >= groups || scores == .softmax && config["topk_method"] == "greedy" {
      config["n_group"] = 1
      config["topk_group"] = 1
    } else if scores == .softmax {
      throw config.configFailure("topk_method", "\"greedy\", for llama.cpp scores groups otherwise,")
    }
    return config
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
