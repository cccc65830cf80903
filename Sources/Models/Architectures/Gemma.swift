import Values

/// Gemma (arXiv 2403.08295): as Llama, with norms whose weights are around 0, a gelu gate and embeddings times √C.
/// transformers: GemmaForCausalLM, for which "gelu" in old configurations means the tanh form.
enum Gemma: Architecture {
  static let modelType = "gemma"
  static let className = "GemmaForCausalLM"

  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan {
    try config.require(
      "hidden_activation", oneOf: ["gelu_pytorch_tanh"], because: "only 'gelu_pytorch_tanh' is supported")
    let rules = DecoderRules.gemma(
      activation: "hidden_act", names: ["gelu_pytorch_tanh", "gelu"], context: 8192, keyValueHeads: 16)
    let shape = try DecoderShape(config, ropeBase: 10_000, epsilon: 1e-6, rules: rules)
    let decoder = try shape.gemma(config, in: store, DecoderStyle())
    return ArchitecturePlan(shape, decoder, expertsPerToken: 0)
  }
}
