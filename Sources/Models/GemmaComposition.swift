import Values

/// What the Gemmas have in common: norms with weights around 0, a gelu gate, embeddings times √C, tied to the head.
extension DecoderRules {
  /// - Parameter activationKey: of config.json.
  static func gemma(
    activation activationKey: String, names: [Value] = ["gelu_pytorch_tanh"], context: Int, keyValueHeads: Int
  )
    -> DecoderRules
  {
    DecoderRules(
      activation: (activationKey, names), context: context, tied: true, keyValueHeads: keyValueHeads, headSize: 256)
  }
}

extension DecoderShape {
  /// - Parameter style: what differs from Llama beside what all Gemmas have.
  func gemma(_ config: Configuration, in store: ParameterStore, _ style: DecoderStyle) throws(GRAOError) -> Decoder {
    try config.require(
      "use_bidirectional_attention", oneOf: [false], because: "attention to later tokens is not supported")
    let hidden = try config.count("intermediate_size")
    var style = style
    style.queryKeyValueBias = try config.flag("attention_bias", default: false)
    style.outputBias = style.queryKeyValueBias
    style.zeroCenteredNorms = true
    style.embeddingScale = Float(channels).squareRoot()
    return try decoder(in: store, style) { _, name in
      SwiGLU(name, channels: channels, hidden: hidden, activation: .gelu, in: store)
    }
  }
}

extension Configuration {
  /// What the scores of Gemma 2 and 3 are multiplied by.
  func gemmaAttentionScale() throws(GRAOError) -> Float {
    1 / Float(try positive("query_pre_attn_scalar", default: 256)).squareRoot()
  }

  /// A key's soft cap; 0, off, where it is null.
  /// - Parameter fallback: where the key is absent; nil: off.
  func softcap(_ key: String, default fallback: Double?) throws(GRAOError) -> Float {
    guard table[key].map({ !$0.isNull }) ?? (fallback != nil) else { return 0 }
    return Float(try positive(key, default: fallback ?? 0))
  }
}
