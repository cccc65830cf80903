import Values

/// OLMo 2 (arXiv 2501.00656): norms after attention and feed-forward, and over all channels of q and k. transformers:
/// Olmo2ForCausalLM.
enum OLMo2: Architecture {
  static let modelType = "olmo2"
  static let className = "Olmo2ForCausalLM"

  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan {
    let shape = try DecoderShape(config, ropeBase: 10_000, epsilon: 1e-5)
    let hidden = try config.count("intermediate_size")
    let bias = try config.flag("attention_bias", default: false)
    let style = DecoderStyle(queryKeyValueBias: bias, outputBias: bias, queryKeyNorm: .whole, norms: .after)
    let decoder = try shape.decoder(in: store, style) { _, name in
      SwiGLU(name, channels: shape.channels, hidden: hidden, in: store)
    }
    return ArchitecturePlan(shape, decoder, expertsPerToken: 0)
  }
}
