import Values

/// Phi-3 and Phi-4 (arXiv 2404.14219): as Llama, with fused projections, rotary positions on a part of each head and
/// LongRoPE, within the original context (``LongRoPE`` says why). transformers: Phi3ForCausalLM.
enum Phi3: Architecture {
  static let modelType = "phi3"
  static let className = "Phi3ForCausalLM"

  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan {
    for key in ["resid_pdrop", "embd_pdrop"] {
      try config.require(key, oneOf: [0, 0.0], because: "dropout is not supported")
    }
    let rules = DecoderRules(
      context: 4096, rotary: RotaryRules(isPartial: true, longRoPENames: ["su", "yarn"], originalContext: 4096))
    let shape = try DecoderShape(config, ropeBase: 10_000, epsilon: 1e-5, rules: rules)
    let hidden = try config.count("intermediate_size")
    let style = DecoderStyle(
      fusesQueryKeyValue: true, windows: try config.slidingWindows(layers: shape.layers))
    let decoder = try shape.decoder(in: store, style) { _, name in
      SwiGLU(fused: name, channels: shape.channels, hidden: hidden, in: store)
    }
    return ArchitecturePlan(shape, decoder, expertsPerToken: 0)
  }
}
