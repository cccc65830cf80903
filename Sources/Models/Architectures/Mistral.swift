import Values

/// Mistral (arXiv 2310.06825): as Llama, with sliding-window attention. transformers: MistralForCausalLM.
enum Mistral: Architecture {
  static let modelType = "mistral"
  static let className = "MistralForCausalLM"

  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan {
    let shape = try DecoderShape(
      config, ropeBase: 10_000, epsilon: 1e-6, rules: DecoderRules(context: 131_072, keyValueHeads: 8))
    let hidden = try config.count("intermediate_size")
    let style = DecoderStyle(windows: try config.slidingWindows(layers: shape.layers, default: 4096))
    let decoder = try shape.decoder(in: store, style) { _, name in
      SwiGLU(name, channels: shape.channels, hidden: hidden, in: store)
    }
    return ArchitecturePlan(shape, decoder, expertsPerToken: 0)
  }
}
