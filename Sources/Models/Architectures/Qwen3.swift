import Values

/// Qwen3 (arXiv 2505.09388): as Llama, with norms on the heads of q and k. transformers: Qwen3ForCausalLM.
enum Qwen3: Architecture {
  static let modelType = "qwen3"
  static let className = "Qwen3ForCausalLM"

  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan {
    let shape = try DecoderShape(
      config, ropeBase: 10_000, epsilon: 1e-6, rules: DecoderRules(context: 32_768, keyValueHeads: 32, headSize: 128))
    let hidden = try config.count("intermediate_size")
    let bias = try config.flag("attention_bias", default: false)
    let style = DecoderStyle(
      queryKeyValueBias: bias, outputBias: bias, queryKeyNorm: .heads,
      windows: try config.qwenSlidingWindows(layers: shape.layers) { $0 >= $1 })
    let decoder = try shape.decoder(in: store, style) { _, name in
      SwiGLU(name, channels: shape.channels, hidden: hidden, in: store)
    }
    return ArchitecturePlan(shape, decoder, expertsPerToken: 0)
  }
}
