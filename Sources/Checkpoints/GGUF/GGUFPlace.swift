/// Where a tensor of a GGUF file stands in a Hugging Face model; names of a layer's follow "model.layers.N.".
enum GGUFPlace {
  case whole(String)
  /// Rows of each head interleaved, as llama.cpp's RoPE wants them; the key tells the number of heads.
  case interleaved(String, headsKey: String)
  /// All experts in one tensor; the name has the expert's index in place of "{}".
  case experts(String)
  /// The file has two of the above in one, rows after rows: read, never written.
  case expertPairs(String, String)
  /// All experts in one tensor, which is a part of the model's.
  case stacked(String, GGUFStacking)
  /// One expert of a file made before experts were stacked: read, never written.
  case expert(String)
  /// A matrix with one row, which some files have as a vector.
  case row(String)
  /// The file's numbers are larger by 1: Gemma's norms, which multiply by 1 + weight.
  case shifted(String)
  /// The first rows of each head of a matrix, transposed, and the others: how keys and values are made from latent
  /// vectors.
  case latentKeys(String)
  case latentValues(String)
  /// What old files have in place of the two before: read, never written.
  case latent(String)
}

extension GGUFArchitecture {
  typealias Tensors = [(name: String, place: GGUFPlace)]

  static let globalTensors: Tensors = [
    ("token_embd.weight", .whole("model.embed_tokens.weight")), ("output_norm.weight", .whole("model.norm.weight")),
    ("output.weight", .whole("lm_head.weight")),
  ]

  static let attention: Tensors = [
    ("attn_q.weight", .whole("self_attn.q_proj.weight")), ("attn_k.weight", .whole("self_attn.k_proj.weight")),
    ("attn_v.weight", .whole("self_attn.v_proj.weight")), ("attn_output.weight", .whole("self_attn.o_proj.weight")),
  ]

  static let attentionBiases: Tensors = [
    ("attn_q.bias", .whole("self_attn.q_proj.bias")), ("attn_k.bias", .whole("self_attn.k_proj.bias")),
    ("attn_v.bias", .whole("self_attn.v_proj.bias")), ("attn_output.bias", .whole("self_attn.o_proj.bias")),
  ]

  /// Attention and its biases where llama.cpp turns neighbours.
  static let interleavedAttention: Tensors = ["weight", "bias"].flatMap { part -> Tensors in
    [
      ("attn_q.\(part)", .interleaved("self_attn.q_proj.\(part)", headsKey: "num_attention_heads")),
      ("attn_k.\(part)", .interleaved("self_attn.k_proj.\(part)", headsKey: "num_key_value_heads")),
      ("attn_v.\(part)", .whole("self_attn.v_proj.\(part)")),
      ("attn_output.\(part)", .whole("self_attn.o_proj.\(part)")),
    ]
  }

  static let latentAttention: Tensors = [
    ("attn_q.weight", .whole("self_attn.q_proj.weight")), ("attn_q_a.weight", .whole("self_attn.q_a_proj.weight")),
    ("attn_q_a_norm.weight", .whole("self_attn.q_a_layernorm.weight")),
    ("attn_q_b.weight", .whole("self_attn.q_b_proj.weight")),
    ("attn_kv_a_mqa.weight", .whole("self_attn.kv_a_proj_with_mqa.weight")),
    ("attn_kv_a_norm.weight", .whole("self_attn.kv_a_layernorm.weight")),
    ("attn_k_b.weight", .latentKeys("self_attn.kv_b_proj.weight")),
    ("attn_v_b.weight", .latentValues("self_attn.kv_b_proj.weight")),
    ("attn_kv_b.weight", .latent("self_attn.kv_b_proj.weight")),
    ("attn_output.weight", .whole("self_attn.o_proj.weight")),
  ]

  static let queryKeyNorms: Tensors = [
    ("attn_q_norm.weight", .whole("self_attn.q_norm.weight")),
    ("attn_k_norm.weight", .whole("self_attn.k_norm.weight")),
  ]

  static let normsBefore: Tensors = [
    ("attn_norm.weight", .whole("input_layernorm.weight")),
    ("ffn_norm.weight", .whole("post_attention_layernorm.weight")),
  ]

  static let normsAfter: Tensors = [
    ("post_attention_norm.weight", .whole("post_attention_layernorm.weight")),
    ("post_ffw_norm.weight", .whole("post_feedforward_layernorm.weight")),
  ]

  /// Gemma 2's norms, on both sides of each block.
  static let normsAround: Tensors = [
    ("attn_norm.weight", .shifted("input_layernorm.weight")),
    ("post_attention_norm.weight", .shifted("post_attention_layernorm.weight")),
    ("ffn_norm.weight", .shifted("pre_feedforward_layernorm.weight")),
    ("post_ffw_norm.weight", .shifted("post_feedforward_layernorm.weight")),
  ]

  static let dense: Tensors = [
    ("ffn_gate.weight", .whole("mlp.gate_proj.weight")), ("ffn_up.weight", .whole("mlp.up_proj.weight")),
    ("ffn_down.weight", .whole("mlp.down_proj.weight")),
  ]

  static let denseBiases: Tensors = [
    ("ffn_gate.bias", .whole("mlp.gate_proj.bias")), ("ffn_up.bias", .whole("mlp.up_proj.bias")),
    ("ffn_down.bias", .whole("mlp.down_proj.bias")),
  ]

  static let experts: Tensors = [
    ("ffn_gate_inp.weight", .whole("mlp.gate.weight")),
    ("ffn_gate_exps.weight", .experts("mlp.experts.{}.gate_proj.weight")),
    ("ffn_up_exps.weight", .experts("mlp.experts.{}.up_proj.weight")),
    ("ffn_down_exps.weight", .experts("mlp.experts.{}.down_proj.weight")),
    (
      "ffn_gate_up_exps.weight",
      .expertPairs("mlp.experts.{}.gate_proj.weight", "mlp.experts.{}.up_proj.weight")
    ),
  ]

  static let mixtralExperts: Tensors = [
    ("ffn_gate_inp.weight", .whole("block_sparse_moe.gate.weight")),
    ("ffn_gate_exps.weight", .experts("block_sparse_moe.experts.{}.w1.weight")),
    ("ffn_down_exps.weight", .experts("block_sparse_moe.experts.{}.w2.weight")),
    ("ffn_up_exps.weight", .experts("block_sparse_moe.experts.{}.w3.weight")),
    ("ffn_gate.{}.weight", .expert("block_sparse_moe.experts.{}.w1.weight")),
    ("ffn_down.{}.weight", .expert("block_sparse_moe.experts.{}.w2.weight")),
    ("ffn_up.{}.weight", .expert("block_sparse_moe.experts.{}.w3.weight")),
  ]

  static let graniteExperts: Tensors = [
    ("ffn_gate_inp.weight", .whole("block_sparse_moe.router.layer.weight")),
    ("ffn_gate_exps.weight", .stacked("block_sparse_moe.input_linear.weight", .half(0))),
    ("ffn_up_exps.weight", .stacked("block_sparse_moe.input_linear.weight", .half(1))),
    ("ffn_down_exps.weight", .stacked("block_sparse_moe.output_linear.weight", .whole)),
  ]

  static let clampedExperts: Tensors = [
    ("ffn_gate_inp.weight", .whole("mlp.router.weight")), ("ffn_gate_inp.bias", .whole("mlp.router.bias")),
    ("ffn_gate_exps.weight", .stacked("mlp.experts.gate_up_proj", .alternating(0))),
    ("ffn_up_exps.weight", .stacked("mlp.experts.gate_up_proj", .alternating(1))),
    ("ffn_down_exps.weight", .stacked("mlp.experts.down_proj", .transposed)),
    ("ffn_gate_exps.bias", .stacked("mlp.experts.gate_up_proj_bias", .alternating(0))),
    ("ffn_up_exps.bias", .stacked("mlp.experts.gate_up_proj_bias", .alternating(1))),
    ("ffn_down_exps.bias", .stacked("mlp.experts.down_proj_bias", .whole)),
  ]

  /// The feed-forward of all tokens beside the experts': `part` is its name.
  static func shared(_ part: String) -> Tensors {
    [
      ("ffn_gate_shexp.weight", .whole("mlp.\(part).gate_proj.weight")),
      ("ffn_up_shexp.weight", .whole("mlp.\(part).up_proj.weight")),
      ("ffn_down_shexp.weight", .whole("mlp.\(part).down_proj.weight")),
    ]
  }
}
