import Values

/// Qwen3 MoE (arXiv 2505.09388): as Llama, with norms on the heads of q and k, and top-k routed experts in the layers
/// that `decoder_sparse_step` and `mlp_only_layers` leave sparse. transformers: Qwen3MoeForCausalLM.
enum Qwen3MoE: Architecture {
  static let modelType = "qwen3_moe"
  static let className = "Qwen3MoeForCausalLM"

  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan {
    try config.require("use_sliding_window", oneOf: [false], because: "sliding windows are not supported")
    let shape = try DecoderShape(config, ropeBase: 10_000, epsilon: 1e-6)
    let experts =
      try config.table["num_experts"] == nil
      ? config.count("num_local_experts", atMost: 4096) : config.count("num_experts", atMost: 4096)
    let perToken = try config.count("num_experts_per_tok")
    guard perToken <= experts else {
      throw config.failure("num_experts_per_tok", "must not exceed the \(experts) experts")
    }
    let expertHidden = try config.count("moe_intermediate_size")
    let normalize = try config.flag("norm_topk_prob", default: false)
    let sparseStep = try config.count("decoder_sparse_step", default: 1)
    let denseLayers = Set(try config.integers("mlp_only_layers"))
    let isSparse = (0..<shape.layers).map { !denseLayers.contains($0) && ($0 + 1) % sparseStep == 0 }
    let denseHidden = isSparse.allSatisfy { $0 } ? 0 : try config.count("intermediate_size")

    let attentionBias = try config.flag("attention_bias", default: false)
    let style = DecoderStyle(
      queryKeyValueBias: attentionBias, outputBias: attentionBias, queryKeyNorm: .heads)
    let decoder = try shape.decoder(in: store, style) { index, name in
      guard isSparse[index] else { return SwiGLU(name, channels: shape.channels, hidden: denseHidden, in: store) }
      func projection(_ part: String, _ inputs: Int, _ outputs: Int) -> [Parameter] {
        store.experts("\(name).experts.{}.\(part).weight", experts, outputs, inputs)
      }
      return SparseFeedForward(
        layer: index, router: Linear(name + ".gate", inputs: shape.channels, outputs: experts, in: store),
        gate: projection("gate_proj", shape.channels, expertHidden),
        up: projection("up_proj", shape.channels, expertHidden),
        down: projection("down_proj", expertHidden, shape.channels),
        perToken: perToken, normalize: normalize)
    }
    return ArchitecturePlan(shape, decoder, expertsPerToken: perToken)
  }
}
