import Models
import TestSupport
import Testing
import Values

/// What config.json means: as transformers 4 wrote it, what is left out, and what is refused.
@Suite(.machine) struct ConfigurationTests {
  struct Form: CustomTestStringConvertible {
    let name: String
    let change: @Sendable (inout Table) -> Void
    var testDescription: String { name }

    init(_ name: String, _ change: @escaping @Sendable (inout Table) -> Void) {
      self.name = name
      self.change = change
    }
  }

  /// rope_theta beside rope_scaling, which calls its kind `key`.
  private static func flatten(_ config: inout Table, kind key: String = "rope_type") {
    guard var rope = config["rope_parameters"]?.table else { return }
    config["rope_parameters"] = nil
    config["rope_theta"] = rope["rope_theta"]
    rope["rope_theta"] = nil
    let kind = rope["rope_type"]
    rope["rope_type"] = nil
    rope[key] = kind
    config["rope_scaling"] = .table(rope)
    config["torch_dtype"] = config["dtype"]
    config["dtype"] = nil
  }

  static let earlierForms = [
    Form("llama-linear") { flatten(&$0, kind: "type") },
    Form("llama-llama3") { flatten(&$0) },
    Form("llama-yarn") { flatten(&$0, kind: "type") },
    Form("phi3-longrope") { config in
      let fraction = config["rope_parameters"]?["partial_rotary_factor"]
      flatten(&config, kind: "type")
      config["partial_rotary_factor"] = fraction
      config["rope_scaling"] = config["rope_scaling"]?.table.map { scaling in
        var scaling = scaling
        scaling["partial_rotary_factor"] = nil
        scaling["original_max_position_embeddings"] = nil
        scaling["type"] = "su"
        return .table(scaling)
      }
    },
    Form("gemma3_text") { config in
      config["rope_parameters"] = nil
      config["rope_theta"] = 1000
      config["rope_local_base_freq"] = 50
      config["rope_scaling"] = ["rope_type": "linear", "factor": 2]
      config["layer_types"] = nil
    },
    Form("gemma") { config in
      flatten(&config)
      config["hidden_act"] = "gelu"
      config["hidden_activation"] = "gelu_pytorch_tanh"
      config["tie_word_embeddings"] = nil
    },
    Form("gemma2") { config in
      flatten(&config)
      config["layer_types"] = nil
      config["tie_word_embeddings"] = nil
    },
    Form("gpt_oss") { config in
      flatten(&config)
      for key in ["layer_types", "swiglu_alpha", "attention_bias"] { config[key] = nil }
      config["num_experts"] = config["num_local_experts"]
      config["num_local_experts"] = nil
    },
    Form("granitemoe") { flatten(&$0) },
    Form("qwen2") { $0["layer_types"] = nil },
    Form("qwen2_moe-window") { $0["layer_types"] = nil },
  ]

  /// The same bits from both forms of the configuration.
  @Test(arguments: earlierForms) func earlierForm(_ form: Form) throws {
    let golden = try Golden(architecture: form.name)
    let ids = try golden.sequences()[0].prompt
    let network = try Network.load(Reconfigured(architecture: form.name, form.change))
    #expect(Value.table(network.configuration.table) != Value.table(golden.network.configuration.table))
    #expect(network.logits(after: ids) == golden.network.logits(after: ids))
    #expect(network.plan.context == golden.network.plan.context)
  }

  struct Refusal: CustomTestStringConvertible {
    let name: String
    let message: String
    let change: @Sendable (inout Table) -> Void
    var testDescription: String { "\(name): \(message)" }

    init(_ name: String, _ message: String, _ change: @escaping @Sendable (inout Table) -> Void) {
      self.name = name
      self.message = message
      self.change = change
    }
  }

  static let refusals = [
    Refusal("llama-linear", "asks for rope_type 'dynamic'") { $0["rope_parameters"] = ["rope_type": "dynamic"] },
    Refusal("llama-linear", "'rope_type' must be a string") { $0["rope_parameters"] = ["rope_type": 3] },
    Refusal("llama-linear", "'factor' is missing") { $0["rope_parameters"] = ["rope_type": "linear"] },
    Refusal("llama-linear", "'rope_parameters.full_attention' is there") {
      $0["rope_parameters"] = ["full_attention": ["rope_type": "default"]]
    },
    Refusal("llama-linear", "'partial_rotary_factor' is 0.5") { $0["partial_rotary_factor"] = 0.5 },
    Refusal("llama-linear", "'hidden_act' is \"gelu\"") { $0["hidden_act"] = "gelu" },
    Refusal("mistral", "'layer_types' names 'full_attention'") {
      $0["layer_types"] = ["full_attention", "sliding_attention"]
    },
    Refusal("qwen2", "'max_window_layers' must be an integer") {
      $0["max_window_layers"] = "all"
    },
    Refusal("phi3", "'resid_pdrop' is 0.1") { $0["resid_pdrop"] = 0.1 },
    Refusal("phi3", "'partial_rotary_factor' is 1.5") { $0["rope_parameters"] = ["partial_rotary_factor": 1.5] },
    Refusal("phi3-longrope", "'short_factor' has 1 numbers: expected 6") { config in
      config["rope_parameters"] = [
        "rope_type": "longrope", "short_factor": [1], "long_factor": [1], "partial_rotary_factor": 0.75,
      ]
    },
    Refusal("phi3-longrope", "'short_factor' must be an array of positive numbers") { config in
      config["rope_parameters"] = ["rope_type": "longrope", "short_factor": [1, -1]]
    },
    Refusal("gemma3_text", "'rope_parameters' must have a table for each of full_attention, sliding_attention") {
      $0["rope_parameters"] = ["rope_theta": 10_000]
    },
    Refusal("gemma2", "'attn_logit_softcapping' must be a positive number") { $0["attn_logit_softcapping"] = 0 },
    Refusal("gemma2", "'sliding_window' is null") { $0["sliding_window"] = .null },
    Refusal("gemma", "'hidden_act' is \"silu\"") { $0["hidden_act"] = "silu" },
    Refusal("gemma", "'hidden_activation' is \"gelu\"") { $0["hidden_activation"] = "gelu" },
    Refusal("granitemoe", "'logits_scaling' must be a positive number") { $0["logits_scaling"] = 0 },
    Refusal("granitemoe", "'attention_dropout' is 0.1") { $0["attention_dropout"] = 0.1 },
    Refusal("gpt_oss", "'swiglu_limit' must be a positive number") { $0["swiglu_limit"] = -7 },
    Refusal("gpt_oss", "'num_experts_per_tok' must not exceed the 5 experts") { $0["num_experts_per_tok"] = 6 },
    Refusal("gpt_oss", "'layer_types' names 'chunked_attention'") {
      $0["layer_types"] = ["chunked_attention", "full_attention", "full_attention"]
    },
    Refusal("gemma3_text", "'use_bidirectional_attention' is true") { $0["use_bidirectional_attention"] = true },
    Refusal("gemma3_text", "'hidden_activation' is \"silu\"") { $0["hidden_activation"] = "silu" },
    Refusal("gemma3_text", "'sliding_window' is null") { $0["sliding_window"] = .null },
  ]

  @Test(arguments: refusals) func refusesByName(_ refusal: Refusal) throws {
    let error = #expect(throws: GRAOError.self) {
      try Network.load(Reconfigured(architecture: refusal.name, refusal.change))
    }
    let message = error?.message ?? ""
    #expect(message.contains(refusal.message), "\(message)")
    #expect(message.contains(refusal.name), "names the file")
  }

  /// LongRoPE's long factors would change a sequence's tokens once it outgrows the original context.
  @Test func longRoPEEndsAtTheOriginalContext() throws {
    let network = try Golden(architecture: "phi3-longrope").network
    #expect(network.configuration.table["max_position_embeddings"] == 128)
    #expect(network.plan.context == 64)
  }
}
