import Values

/// What an architecture of GGUF files is called in Hugging Face transformers: a new one is an entry in `all`.
struct GGUFArchitecture {
  /// Where a layer's tensor goes; names follow "model.layers.N.".
  enum Place {
    case whole(String)
    /// Rows of each head interleaved, as llama.cpp's RoPE wants them; the key tells the number of heads.
    case interleaved(String, headsKey: String)
    /// All experts in one tensor; the name has the expert's index in place of "{}".
    case experts(String)
    /// A row of a matrix with one row, which the file has as a vector.
    case row(String)
  }

  let modelType: String
  let className: String
  /// Keys beside `commonKeys`.
  var keys: [GGUFKey] = []
  /// Keys whose values GGUF files leave unsaid.
  var constants: [(String, Value)] = []
  let layerTensors: [String: Place]

  /// What a file says it is: general.architecture, where a llama with experts is a mixtral.
  static func find(_ name: String, in metadata: Table) -> GGUFArchitecture? {
    if name == "llama", (metadata["llama.expert_count"]?.integer ?? 0) > 0 { return mixtral }
    return all[name]
  }

  /// By the name in general.architecture.
  static var all: [String: GGUFArchitecture] {
    [
      "llama": GGUFArchitecture(
        modelType: "llama", className: "LlamaForCausalLM",
        layerTensors: merge(attention, normsBefore, dense, interleavedHeads)),
      "qwen2": GGUFArchitecture(
        modelType: "qwen2", className: "Qwen2ForCausalLM",
        layerTensors: merge(attention, attentionBiases, normsBefore, dense)),
      "qwen2moe": GGUFArchitecture(
        modelType: "qwen2_moe", className: "Qwen2MoeForCausalLM",
        keys: expertKeys + [
          GGUFKey("moe_intermediate_size", "expert_feed_forward_length"),
          GGUFKey("shared_expert_intermediate_size", "expert_shared_feed_forward_length"),
        ],
        constants: [("norm_topk_prob", false), ("decoder_sparse_step", 1), ("mlp_only_layers", [])],
        layerTensors: merge(
          attention, attentionBiases, normsBefore, experts,
          [
            "ffn_gate_inp_shexp.weight": .row("mlp.shared_expert_gate.weight"),
            "ffn_gate_shexp.weight": .whole("mlp.shared_expert.gate_proj.weight"),
            "ffn_up_shexp.weight": .whole("mlp.shared_expert.up_proj.weight"),
            "ffn_down_shexp.weight": .whole("mlp.shared_expert.down_proj.weight"),
          ])),
      "qwen3": GGUFArchitecture(
        modelType: "qwen3", className: "Qwen3ForCausalLM",
        layerTensors: merge(attention, queryKeyNorms, normsBefore, dense)),
      "qwen3moe": GGUFArchitecture(
        modelType: "qwen3_moe", className: "Qwen3MoeForCausalLM",
        keys: expertKeys + [GGUFKey("moe_intermediate_size", "expert_feed_forward_length")],
        constants: [("norm_topk_prob", true), ("decoder_sparse_step", 1), ("mlp_only_layers", [])],
        layerTensors: merge(attention, queryKeyNorms, normsBefore, experts)),
      "olmo2": GGUFArchitecture(
        modelType: "olmo2", className: "Olmo2ForCausalLM",
        layerTensors: merge(
          attention, queryKeyNorms, dense,
          [
            "post_attention_norm.weight": .whole("post_attention_layernorm.weight"),
            "post_ffw_norm.weight": .whole("post_feedforward_layernorm.weight"),
          ])),
      "olmoe": GGUFArchitecture(
        modelType: "olmoe", className: "OlmoeForCausalLM", keys: expertKeys, constants: [("norm_topk_prob", false)],
        layerTensors: merge(attention, queryKeyNorms, normsBefore, experts)),
    ]
  }

  private static var mixtral: GGUFArchitecture {
    GGUFArchitecture(
      modelType: "mixtral", className: "MixtralForCausalLM",
      keys: [
        GGUFKey("num_local_experts", "expert_count"), GGUFKey("num_experts_per_tok", "expert_used_count"),
      ],
      constants: [("sliding_window", .null)],
      layerTensors: merge(
        attention, normsBefore, interleavedHeads,
        [
          "ffn_gate_inp.weight": .whole("block_sparse_moe.gate.weight"),
          "ffn_gate_exps.weight": .experts("block_sparse_moe.experts.{}.w1.weight"),
          "ffn_down_exps.weight": .experts("block_sparse_moe.experts.{}.w2.weight"),
          "ffn_up_exps.weight": .experts("block_sparse_moe.experts.{}.w3.weight"),
        ]))
  }

  private static func merge(_ parts: [String: Place]...) -> [String: Place] {
    parts.reduce([:]) { $0.merging($1) { $1 } }
  }

  /// What every architecture here has.
  static let commonKeys = [
    GGUFKey("hidden_size", "embedding_length"),
    GGUFKey("intermediate_size", "feed_forward_length"),
    GGUFKey("num_hidden_layers", "block_count"),
    GGUFKey("num_attention_heads", "attention.head_count"),
    GGUFKey("num_key_value_heads", "attention.head_count_kv", orKey: "attention.head_count"),
    GGUFKey("max_position_embeddings", "context_length"),
    GGUFKey("rms_norm_eps", "attention.layer_norm_rms_epsilon", isInteger: false),
    GGUFKey("rope_theta", "rope.freq_base", isInteger: false, or: 10_000),
  ]

  static let globalTensors = [
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
  ]

  private static let expertKeys = [
    GGUFKey("num_experts", "expert_count"), GGUFKey("num_experts_per_tok", "expert_used_count"),
  ]

  private static let attention: [String: Place] = [
    "attn_q.weight": .whole("self_attn.q_proj.weight"),
    "attn_k.weight": .whole("self_attn.k_proj.weight"),
    "attn_v.weight": .whole("self_attn.v_proj.weight"),
    "attn_output.weight": .whole("self_attn.o_proj.weight"),
  ]

  /// Over those of `attention`.
  private static let interleavedHeads: [String: Place] = [
    "attn_q.weight": .interleaved("self_attn.q_proj.weight", headsKey: "num_attention_heads"),
    "attn_k.weight": .interleaved("self_attn.k_proj.weight", headsKey: "num_key_value_heads"),
  ]

  private static let attentionBiases: [String: Place] = [
    "attn_q.bias": .whole("self_attn.q_proj.bias"),
    "attn_k.bias": .whole("self_attn.k_proj.bias"),
    "attn_v.bias": .whole("self_attn.v_proj.bias"),
  ]

  private static let queryKeyNorms: [String: Place] = [
    "attn_q_norm.weight": .whole("self_attn.q_norm.weight"),
    "attn_k_norm.weight": .whole("self_attn.k_norm.weight"),
  ]

  private static let normsBefore: [String: Place] = [
    "attn_norm.weight": .whole("input_layernorm.weight"),
    "ffn_norm.weight": .whole("post_attention_layernorm.weight"),
  ]

  private static let dense: [String: Place] = [
    "ffn_gate.weight": .whole("mlp.gate_proj.weight"),
    "ffn_up.weight": .whole("mlp.up_proj.weight"),
    "ffn_down.weight": .whole("mlp.down_proj.weight"),
  ]

  private static let experts: [String: Place] = [
    "ffn_gate_inp.weight": .whole("mlp.gate.weight"),
    "ffn_gate_exps.weight": .experts("mlp.experts.{}.gate_proj.weight"),
    "ffn_up_exps.weight": .experts("mlp.experts.{}.up_proj.weight"),
    "ffn_down_exps.weight": .experts("mlp.experts.{}.down_proj.weight"),
  ]
}
