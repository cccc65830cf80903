import Values

/// What an architecture of GGUF files is called in Hugging Face transformers: a new one is an entry in `all`.
struct GGUFArchitecture {
  /// Where a layer's tensor goes; names follow "model.layers.N.".
  enum Place {
    case whole(String)
    /// Rows of each head interleaved, as llama.cpp's RoPE wants them; the key tells the number of heads.
    case interleaved(String, headsKey: String)
    /// All experts in one tensor; the names follow "mlp.experts.E.".
    case experts(String)
  }

  let modelType: String
  let className: String
  /// Keys beside `commonKeys`.
  var keys: [GGUFKey] = []
  /// Keys whose values GGUF files leave unsaid.
  var constants: [(String, Value)] = []
  let layerTensors: [String: Place]

  /// By the name in general.architecture.
  static var all: [String: GGUFArchitecture] {
    [
      "llama": GGUFArchitecture(
        modelType: "llama", className: "LlamaForCausalLM",
        layerTensors: commonLayerTensors.merging(denseTensors) { $1 }.merging([
          "attn_q.weight": .interleaved("self_attn.q_proj.weight", headsKey: "num_attention_heads"),
          "attn_k.weight": .interleaved("self_attn.k_proj.weight", headsKey: "num_key_value_heads"),
        ]) { $1 }),
      "qwen3moe": GGUFArchitecture(
        modelType: "qwen3_moe", className: "Qwen3MoeForCausalLM",
        keys: [
          GGUFKey("num_experts", "expert_count"),
          GGUFKey("num_experts_per_tok", "expert_used_count"),
          GGUFKey("moe_intermediate_size", "expert_feed_forward_length"),
        ],
        constants: [("norm_topk_prob", true), ("decoder_sparse_step", 1), ("mlp_only_layers", [])],
        layerTensors: commonLayerTensors.merging([
          "attn_q_norm.weight": .whole("self_attn.q_norm.weight"),
          "attn_k_norm.weight": .whole("self_attn.k_norm.weight"),
          "ffn_gate_inp.weight": .whole("mlp.gate.weight"),
          "ffn_gate_exps.weight": .experts("gate_proj.weight"),
          "ffn_up_exps.weight": .experts("up_proj.weight"),
          "ffn_down_exps.weight": .experts("down_proj.weight"),
        ]) { $1 }),
    ]
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

  private static let commonLayerTensors: [String: Place] = [
    "attn_norm.weight": .whole("input_layernorm.weight"),
    "attn_q.weight": .whole("self_attn.q_proj.weight"),
    "attn_k.weight": .whole("self_attn.k_proj.weight"),
    "attn_v.weight": .whole("self_attn.v_proj.weight"),
    "attn_output.weight": .whole("self_attn.o_proj.weight"),
    "ffn_norm.weight": .whole("post_attention_layernorm.weight"),
  ]

  private static let denseTensors: [String: Place] = [
    "ffn_gate.weight": .whole("mlp.gate_proj.weight"),
    "ffn_up.weight": .whole("mlp.up_proj.weight"),
    "ffn_down.weight": .whole("mlp.down_proj.weight"),
  ]
}
