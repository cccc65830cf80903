import Checkpoints
import Models
import TestSupport
import Testing
import Values

@Suite(.machine) struct DeepSeekTests {
  private static let ids: [Int32] = [5, 9, 3, 17, 22, 8, 41, 30, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]

  private func checkpoint(_ name: String) throws -> any Checkpoint {
    try openCheckpoint(Fixtures.path("architectures/\(name)"))
  }

  /// The logits after each beginning of ``ids``.
  private func logits(_ name: String, _ edit: (inout Table) -> Void = { _ in }) throws -> [[Float]] {
    let checkpoint = try checkpoint(name)
    var config = checkpoint.config
    edit(&config)
    return try logits(of: EditedCheckpoint(checkpoint, config: config))
  }

  private func logits(of checkpoint: any Checkpoint) throws -> [[Float]] {
    let network = try Network.load(checkpoint)
    return (1...Self.ids.count).map { network.logits(after: Array(Self.ids.prefix($0))) }
  }

  /// transformers 4 and the published remote code write the rotary keys elsewhere, and keys that only training there
  /// reads.
  @Test(arguments: ["deepseek_v2-groups", "deepseek_v3"]) func configsOfTransformers4AreTheSameModel(
    _ name: String
  ) throws {
    let edited = try logits(name) { config in
      var scaling = config["rope_parameters"]?.table ?? [:]
      scaling["type"] = scaling["rope_type"]
      config["rope_theta"] = scaling["rope_theta"]
      scaling["rope_type"] = nil
      scaling["rope_theta"] = nil
      config["rope_scaling"] = .table(scaling)
      for key in ["rope_parameters", "head_dim", "qk_head_dim", "rope_interleave", "dtype"] { config[key] = nil }
      config["torch_dtype"] = "bfloat16"
      config["auto_map"] = ["AutoConfig": "configuration_deepseek.DeepseekConfig"]
      config["aux_loss_alpha"] = 0.001
      config["seq_aux"] = true
      config["ep_size"] = 1
      config["moe_layer_freq"] = 1
      config["scoring_func"] = name == "deepseek_v3" ? "sigmoid" : "softmax"
    }
    #expect(try logits(name) == edited)
  }

  /// As where what they say is 0.
  @Test(arguments: ["deepseek_v2-groups", "deepseek_v3"]) func nullIsNoSharedExperts(_ name: String) throws {
    let original = try checkpoint(name)
    let silent = EditedCheckpoint(original)
    silent.zero { $0.contains(".shared_experts.down_proj.") }
    var config = original.config
    config["n_shared_experts"] = .null
    let without = EditedCheckpoint(original, config: config)
    without.remove { $0.contains(".shared_experts.") }
    #expect(without.tensors.count < original.tensors.count)
    #expect(try logits(of: without) == logits(of: silent))
    #expect(try logits(of: without) != logits(of: original))
  }

  /// Each of these keys changes what is computed: a fixture that it did not matter to would prove nothing.
  @Test func everyKeyMatters() throws {
    let changes: [(String, String, Value)] = [
      ("deepseek_v2", "routed_scaling_factor", 1), ("deepseek_v2-groups", "topk_group", 4),
      ("deepseek_v2-groups", "topk_method", "greedy"), ("deepseek_v3", "topk_group", 4), ("deepseek_v3", "n_group", 2),
      ("deepseek_v3", "norm_topk_prob", false), ("deepseek_v3", "rope_interleave", false),
      ("deepseek_v3-halves", "rope_interleave", true), ("deepseek_v3-moonlight", "rms_norm_eps", 1e-6),
      ("deepseek_v3-moonlight", "rope_theta", 10_000),
    ]
    for (name, key, value) in changes {
      let edited = try logits(name) { config in
        if key == "rope_theta" { config["rope_parameters"] = ["rope_type": "default", "rope_theta": value] }
        config[key] = value
      }
      #expect(try logits(name) != edited, "\(name): \(key)")
    }
    for key in ["mscale", "mscale_all_dim", "factor"] {
      let edited = try logits("deepseek_v3") { config in
        var rope = config["rope_parameters"]?.table ?? [:]
        rope[key] = 2.0
        config["rope_parameters"] = .table(rope)
      }
      #expect(try logits("deepseek_v3") != edited, "\(key)")
    }
  }

  @Test func whatIsNotSupportedIsNamed() throws {
    let refused: [(name: String, key: String, value: Value, problem: String)] = [
      ("deepseek_v2", "topk_method", "noaux_tc", "is 'noaux_tc': expected greedy or group_limited_greedy"),
      ("deepseek_v2", "norm_topk_prob", true, "is true: transformers does not normalise deepseek_v2's expert weights"),
      ("deepseek_v2", "scoring_func", "sigmoid", "is \"sigmoid\": deepseek_v2 routes by 'softmax'"),
      ("deepseek_v2", "moe_layer_freq", 2, "is 2: only 1, experts in every layer, is supported"),
      ("deepseek_v2", "num_experts_per_tok", 9, "must not exceed the 8 experts"),
      ("deepseek_v2-groups", "num_experts_per_tok", 5, "must not exceed the 4 experts that the groups leave"),
      ("deepseek_v3", "scoring_func", "softmax", "is \"softmax\": deepseek_v3 routes by 'sigmoid'"),
      ("deepseek_v3", "topk_method", "greedy", "is \"greedy\": deepseek_v3 chooses experts by 'noaux_tc'"),
      ("deepseek_v3", "n_group", 3, "must divide the 8 experts"),
      ("deepseek_v3", "n_group", 8, "must leave two experts or more in each group"),
      ("deepseek_v3", "topk_group", 5, "must not exceed the 4 groups"),
      ("deepseek_v3", "num_key_value_heads", 2, "must equal num_attention_heads (4) in latent attention"),
      ("deepseek_v3", "qk_rope_head_dim", 7, "must be even for rotary positions"),
      ("deepseek_v3", "first_k_dense_replace", -1, "must be an integer from 0 to 16777216"),
    ]
    for (name, key, value, problem) in refused {
      var config = try checkpoint(name).config
      config[key] = value
      if key == "n_group", value == 8 { config["topk_group"] = 8 }
      let error = #expect(throws: GRAOError.self) {
        try Network(Configuration(config, source: "config.json"), allocate: false)
      }
      #expect(error?.message == "config.json: config key '\(key)' \(problem)")
    }
  }

  /// num_nextn_predict_layers is 1 in this fixture, whose own layers are 0 and 1.
  @Test func theExtraPredictionLayerIsIgnored() throws {
    let edited = EditedCheckpoint(try checkpoint("deepseek_v3"))
    edited.add("model.layers.2.eh_proj.weight", [32, 64])
    edited.add("model.layers.2.mlp.gate.weight", [8, 32])
    #expect(try logits(of: edited) == logits("deepseek_v3"))
    edited.add("model.layers.3.eh_proj.weight", [32, 64])
    let error = #expect(throws: GRAOError.self) { try Network.load(edited) }
    #expect(
      error?.message.hasSuffix("tensor 'model.layers.3.eh_proj.weight' is unknown to the architecture 'deepseek_v3'")
        == true)
  }

  /// One latent of 20 and one rotary key of 8 in each of 2 layers.
  @Test func theCacheHoldsTheLatentAlone() throws {
    let network = try Network(
      Configuration(checkpoint("deepseek_v3").config, source: "config.json"), allocate: false)
    #expect(network.cacheBytesPerToken == 2 * (20 + 8) * 4)
  }
}
