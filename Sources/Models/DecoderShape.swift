import Kernels
import Values

/// What the pre-norm decoders with grouped-query attention have in common, read from a config.json.
struct DecoderShape {
  let vocabulary: Int
  let channels: Int
  let layers: Int
  let heads: HeadShape
  let epsilon: Float
  let context: Int
  let tied: Bool
  let rotary: RotaryEmbedding
  /// ``RotaryConfiguration/scoreFactor``.
  let scoreFactor: Double

  /// - Parameters:
  ///   - ropeBase: the architecture's default of `rope_theta`.
  ///   - epsilon: the architecture's default of `rms_norm_eps`.
  init(_ config: Configuration, ropeBase: Double, epsilon: Double) throws(GRAOError) {
    try config.require("hidden_act", oneOf: ["silu", "swish"], because: "only 'silu' is supported")
    try config.require("attention_dropout", oneOf: [0], because: "dropout is not supported")
    vocabulary = try config.count("vocab_size")
    channels = try config.count("hidden_size")
    layers = try config.count("num_hidden_layers", atMost: 1024)
    let queries = try config.count("num_attention_heads")
    let keyValues = try config.count("num_key_value_heads", default: queries)
    let size = try config.count("head_dim", default: max(channels / queries, 1))
    guard queries % keyValues == 0 else {
      throw config.failure("num_key_value_heads", "must divide num_attention_heads (\(queries))")
    }
    guard size % 2 == 0 else { throw config.failure("head_dim", "must be even for rotary positions") }
    heads = HeadShape(queries: queries, keyValues: keyValues, size: size, scale: 1 / Float(size).squareRoot())
    self.epsilon = Float(try config.number("rms_norm_eps", default: epsilon))
    context = try config.count("max_position_embeddings", default: 2048, atMost: 1 << 30)
    tied = try config.flag("tie_word_embeddings", default: false)
    let rope = try config.rotary(defaultBase: ropeBase, context: context)
    rotary = RotaryEmbedding(RotaryFrequencies(size: size, base: rope.base, scaling: rope.scaling))
    scoreFactor = rope.scoreFactor
  }
}
