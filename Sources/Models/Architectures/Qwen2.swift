import Values

/// Qwen2 and Qwen2.5 (arXiv 2407.10671): as Llama, with biases on q, k and v. transformers: Qwen2ForCausalLM.
enum Qwen2: Architecture {
  static let modelType = "qwen2"
  static let className = "Qwen2ForCausalLM"

  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan {
    let shape = try DecoderShape(
      config, ropeBase: 10_000, epsilon: 1e-6, rules: DecoderRules(context: 32_768, keyValueHeads: 32))
    let hidden = try config.count("intermediate_size")
    let style = DecoderStyle(
      queryKeyValueBias: true, windows: try config.qwenSlidingWindows(layers: shape.layers) { $0 >= $1 })
    let decoder = try shape.decoder(in: store, style) { _, name in
      SwiGLU(name, channels: shape.channels, hidden: hidden, in: store)
    }
    return ArchitecturePlan(shape, decoder, expertsPerToken: 0)
  }
}
