import Values

/// An architecture as GGUF files and Hugging Face transformers have it: a new one is an entry in `all`.
struct GGUFArchitecture {
  /// general.architecture.
  let name: String
  /// The `model_type`s of config.json that are written as it; a file is read as the first.
  let modelTypes: [String]
  let className: String
  /// What the metadata says, in the order of config.json.
  let traits: [any GGUFTrait]
  /// Its tensors beside those of the layers.
  var globalTensors = Self.globalTensors
  /// The tensors of a layer, in the order of the file; names follow "blk.N.".
  let layerTensors: Tensors

  /// The one that a file is read as: one name may stand for several, told apart by their routers.
  static func find(_ file: GGUFSource) throws(GRAOError) -> GGUFArchitecture? {
    switch file.name {
    case "llama": return (file.value("expert_count")?.integer ?? 0) > 0 ? mixtral : llama
    case "deepseek2": return try GGUFRouter.scores(in: file) == .sigmoid ? deepseekV3 : deepseekV2
    default: return all.first { $0.name == file.name }
    }
  }

  /// The one that a model is written as.
  static func find(modelType: String) -> GGUFArchitecture? {
    all.first { $0.modelTypes.contains(modelType) }
  }

  static var all: [GGUFArchitecture] {
    [
      llama, mixtral, qwen2, qwen2MoE, qwen3, qwen3MoE, olmo2, olmoE, deepseekV2, deepseekV3, gemma, gemma2, gemma3,
      gptOSS, graniteMoE, phi3,
    ]
  }

  // MARK: What several have

  private static var sizes: [any GGUFTrait] {
    [
      GGUFKey("hidden_size", "embedding_length"), GGUFKey("intermediate_size", "feed_forward_length"),
      GGUFKey("num_hidden_layers", "block_count"), GGUFKey("num_attention_heads", "attention.head_count"),
      GGUFKey("num_key_value_heads", "attention.head_count_kv", orKey: "attention.head_count"),
      GGUFKey("max_position_embeddings", "context_length"),
      GGUFKey("rms_norm_eps", "attention.layer_norm_rms_epsilon", .number),
    ]
  }

  private static var usesSiLU: GGUFConstant { GGUFConstant("hidden_act", "silu", isTold: false) }

  private static var common: [any GGUFTrait] { sizes + [GGUFRotary(), GGUFHeads(), usesSiLU] }

  private static var expertCounts: [any GGUFTrait] {
    [
      GGUFKey("num_experts", orName: "num_local_experts", "expert_count"),
      GGUFKey("num_experts_per_tok", "expert_used_count"),
    ]
  }

  /// Every layer has experts.
  private static var allSparse: [any GGUFTrait] {
    [
      GGUFConstant("decoder_sparse_step", 1), GGUFConstant("mlp_only_layers", []),
    ]
  }

  private static var expertSize: GGUFKey { GGUFKey("moe_intermediate_size", "expert_feed_forward_length") }

  // MARK: Dense

  private static var llama: GGUFArchitecture {
    GGUFArchitecture(
      name: "llama", modelTypes: ["llama", "mistral"], className: "LlamaForCausalLM",
      traits: sizes + [GGUFRotary(hasFrequencies: true), GGUFHeads(), usesSiLU, GGUFUntoldWindow()],
      layerTensors: interleavedAttention + normsBefore + dense + denseBiases)
  }

  private static var qwen2: GGUFArchitecture {
    GGUFArchitecture(
      name: "qwen2", modelTypes: ["qwen2"], className: "Qwen2ForCausalLM",
      traits: common + [GGUFUntoldWindow(hasSwitch: true)],
      layerTensors: attention + attentionBiases + normsBefore + dense)
  }

  private static var qwen3: GGUFArchitecture {
    GGUFArchitecture(
      name: "qwen3", modelTypes: ["qwen3"], className: "Qwen3ForCausalLM",
      traits: common + [GGUFUntoldWindow(hasSwitch: true)],
      layerTensors: attention + attentionBiases + queryKeyNorms + normsBefore + dense)
  }

  private static var olmo2: GGUFArchitecture {
    GGUFArchitecture(
      name: "olmo2", modelTypes: ["olmo2"], className: "Olmo2ForCausalLM", traits: common,
      layerTensors: attention + queryKeyNorms + dense + normsAfter)
  }

  private static var phi3: GGUFArchitecture {
    GGUFArchitecture(
      name: "phi3", modelTypes: ["phi3"], className: "Phi3ForCausalLM",
      traits: sizes + [GGUFRotary(), GGUFPartlyTurnedHeads(), GGUFLongRotary(), GGUFWindow(), usesSiLU],
      layerTensors: [
        ("attn_qkv.weight", .whole("self_attn.qkv_proj.weight")),
        ("attn_output.weight", .whole("self_attn.o_proj.weight")),
        ("ffn_up.weight", .whole("mlp.gate_up_proj.weight")), ("ffn_down.weight", .whole("mlp.down_proj.weight")),
      ] + normsBefore)
  }

  // MARK: Gemma

  private static let shiftedGlobalTensors: Tensors = globalTensors.map { tensor in
    tensor.name == "output_norm.weight" ? (tensor.name, .shifted("model.norm.weight")) : tensor
  }

  private static var gemma: GGUFArchitecture {
    GGUFArchitecture(
      name: "gemma", modelTypes: ["gemma"], className: "GemmaForCausalLM",
      traits: sizes + [
        GGUFRotary(), GGUFHeads(), GGUFConstant("hidden_activation", "gelu_pytorch_tanh"),
      ],
      globalTensors: shiftedGlobalTensors,
      layerTensors: attention + dense + [
        ("attn_norm.weight", .shifted("input_layernorm.weight")),
        ("ffn_norm.weight", .shifted("post_attention_layernorm.weight")),
      ])
  }

  private static var gemma2: GGUFArchitecture {
    GGUFArchitecture(
      name: "gemma2", modelTypes: ["gemma2"], className: "Gemma2ForCausalLM",
      traits: sizes + [
        GGUFRotary(), GGUFHeads(), GGUFConstant("hidden_activation", "gelu_pytorch_tanh"),
        GGUFKey("attn_logit_softcapping", "attn_logit_softcapping", .number, byDefault: 50.0),
        GGUFKey("final_logit_softcapping", "final_logit_softcapping", .number, byDefault: 30.0),
        GGUFAlternatingWindows(period: 2, byDefault: 4096), GGUFQueryScale(layers: 46),
      ],
      globalTensors: shiftedGlobalTensors, layerTensors: attention + dense + normsAround)
  }

  private static var gemma3: GGUFArchitecture {
    GGUFArchitecture(
      name: "gemma3", modelTypes: ["gemma3_text"], className: "Gemma3ForCausalLM",
      traits: sizes + [
        GGUFRotary(defaultBase: 1_000_000), GGUFHeads(), GGUFConstant("hidden_activation", "gelu_pytorch_tanh"),
        GGUFKey("final_logit_softcapping", "final_logit_softcapping", .number, byDefault: .null),
        GGUFConstant("attn_logit_softcapping", .null),
        GGUFAlternatingWindows(period: 6, byDefault: 4096, hasOwnBase: true), GGUFQueryScale(layers: 62),
      ],
      globalTensors: shiftedGlobalTensors,
      layerTensors: attention + dense + normsAround + [
        ("attn_q_norm.weight", .shifted("self_attn.q_norm.weight")),
        ("attn_k_norm.weight", .shifted("self_attn.k_norm.weight")),
      ])
  }

  // MARK: Sparse

  private static var mixtral: GGUFArchitecture {
    GGUFArchitecture(
      name: "llama", modelTypes: ["mixtral"], className: "MixtralForCausalLM",
      traits: sizes + [
        GGUFRotary(hasFrequencies: true, defaultBase: 1_000_000), GGUFHeads(), usesSiLU,
        GGUFKey("num_local_experts", "expert_count"),
        GGUFKey("num_experts_per_tok", "expert_used_count"), GGUFUntoldWindow(),
      ],
      layerTensors: interleavedAttention + normsBefore + mixtralExperts)
  }

  private static var graniteMoE: GGUFArchitecture {
    GGUFArchitecture(
      name: "granitemoe", modelTypes: ["granitemoe"], className: "GraniteMoeForCausalLM",
      traits: sizes + [
        GGUFRotary(hasFrequencies: true), GGUFHeads(), usesSiLU, GGUFKey("num_local_experts", "expert_count"),
        GGUFKey("num_experts_per_tok", "expert_used_count"),
        GGUFKey("attention_multiplier", "attention.scale", .number, whenUnset: 1.0),
        GGUFKey("embedding_multiplier", "embedding_scale", .number, byDefault: 1.0),
        GGUFKey("residual_multiplier", "residual_scale", .number, byDefault: 1.0),
        GGUFKey("logits_scaling", "logit_scale", .number, whenUnset: 1.0),
      ],
      layerTensors: interleavedAttention + normsBefore + graniteExperts)
  }

  private static var gptOSS: GGUFArchitecture {
    GGUFArchitecture(
      name: "gpt-oss", modelTypes: ["gpt_oss"], className: "GptOssForCausalLM",
      traits: sizes + [
        GGUFRotary(truncates: false, defaultBase: 150_000), GGUFHeads(), usesSiLU,
        GGUFKey("num_local_experts", "expert_count"),
        GGUFKey("num_experts_per_tok", "expert_used_count"),
        GGUFCopy("intermediate_size", to: "expert_feed_forward_length"),
        GGUFAlternatingWindows(period: 2, byDefault: 128), GGUFConstant("attention_bias", true),
        GGUFConstant("swiglu_alpha", 1.702, isTold: false), GGUFConstant("swiglu_limit", 7.0),
        GGUFConstant("tie_word_embeddings", false),
      ],
      layerTensors: attention + attentionBiases + [
        ("attn_sinks.weight", .whole("self_attn.sinks")), ("attn_norm.weight", .whole("input_layernorm.weight")),
        ("post_attention_norm.weight", .whole("post_attention_layernorm.weight")),
      ] + clampedExperts)
  }

  private static var qwen2MoE: GGUFArchitecture {
    GGUFArchitecture(
      name: "qwen2moe", modelTypes: ["qwen2_moe"], className: "Qwen2MoeForCausalLM",
      traits: common + expertCounts + [
        expertSize,
        GGUFKey(
          "shared_expert_intermediate_size", "expert_shared_feed_forward_length", orKey: "feed_forward_length"),
        GGUFConstant("norm_topk_prob", false), GGUFUntoldWindow(hasSwitch: true),
      ] + allSparse,
      layerTensors: attention + attentionBiases + normsBefore + experts + shared("shared_expert") + [
        ("ffn_gate_inp_shexp.weight", .row("mlp.shared_expert_gate.weight"))
      ])
  }

  private static var qwen3MoE: GGUFArchitecture {
    GGUFArchitecture(
      name: "qwen3moe", modelTypes: ["qwen3_moe"], className: "Qwen3MoeForCausalLM",
      traits: common + expertCounts + [
        expertSize, GGUFConstant("norm_topk_prob", true, whenMissing: false), GGUFUntoldWindow(hasSwitch: true),
      ] + allSparse,
      layerTensors: attention + attentionBiases + queryKeyNorms + normsBefore + experts)
  }

  private static var olmoE: GGUFArchitecture {
    GGUFArchitecture(
      name: "olmoe", modelTypes: ["olmoe"], className: "OlmoeForCausalLM",
      traits: common + expertCounts + [
        GGUFConstant("norm_topk_prob", false), GGUFConstant("clip_qkv", .null, isTold: false),
      ],
      layerTensors: attention + queryKeyNorms + normsBefore + experts)
  }

  private static var deepseekV2: GGUFArchitecture { deepseek("deepseek_v2", "DeepseekV2ForCausalLM", .softmax) }
  private static var deepseekV3: GGUFArchitecture { deepseek("deepseek_v3", "DeepseekV3ForCausalLM", .sigmoid) }

  private static func deepseek(_ modelType: String, _ className: String, _ scores: GGUFRouter.Scores)
    -> GGUFArchitecture
  {
    GGUFArchitecture(
      name: "deepseek2", modelTypes: [modelType], className: className,
      traits: sizes + [
        GGUFRotary(hasMagnitudes: true),
        GGUFKey("kv_lora_rank", "attention.kv_lora_rank"), GGUFLatentHeads(), usesSiLU,
        GGUFKey("n_routed_experts", "expert_count"), GGUFKey("num_experts_per_tok", "expert_used_count"),
        GGUFKey("n_shared_experts", "expert_shared_count"), expertSize,
        GGUFKey("first_k_dense_replace", "leading_dense_block_count", .count, byDefault: 0),
        GGUFConstant("moe_layer_freq", 1), GGUFRouter(scores: scores),
      ],
      layerTensors: latentAttention + normsBefore + dense + experts + shared("shared_experts") + [
        ("exp_probs_b.bias", .whole("mlp.gate.e_score_correction_bias"))
      ])
  }
}
