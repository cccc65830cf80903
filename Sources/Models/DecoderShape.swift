import Kernels
import Values

/// What transformers makes of a config.json where an architecture departs from Llama.
struct DecoderRules {
  /// The key of the feed-forward's activation, and the names that the one supported has.
  var activation: (key: String, names: [Value]) = ("hidden_act", ["silu", "swish"])
  /// Defaults of `max_position_embeddings` and `tie_word_embeddings`.
  var context = 2048
  var tied = false
  /// Defaults of `num_key_value_heads` and `head_dim` where the keys are absent. Where these are nil, and where the keys
  /// are null: as many as of queries, and hidden_size / heads.
  var keyValueHeads: Int?
  var headSize: Int?
  var rotary = RotaryRules()
  /// Whether full and sliding attention have rotary positions of their own; the shape has those of full attention.
  var rotaryByLayerType = false
}

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
  init(
    _ config: Configuration, ropeBase: Double, epsilon: Double, rules: DecoderRules = DecoderRules()
  ) throws(GRAOError) {
    let activation = rules.activation.names.first?.string ?? ""
    try config.require(
      rules.activation.key, oneOf: rules.activation.names, because: "only '\(activation)' is supported")
    try config.require("attention_dropout", oneOf: [0], because: "dropout is not supported")
    vocabulary = try config.count("vocab_size")
    channels = try config.count("hidden_size")
    layers = try config.count("num_hidden_layers", atMost: 1024)
    let queries = try config.count("num_attention_heads")
    let keyValues = try config.count("num_key_value_heads", absent: rules.keyValueHeads, null: queries)
    let size = try config.count("head_dim", absent: rules.headSize, null: max(channels / queries, 1))
    guard queries % keyValues == 0 else {
      throw config.failure("num_key_value_heads", "must divide num_attention_heads (\(queries))")
    }
    guard size % 2 == 0 else { throw config.failure("head_dim", "must be even for rotary positions") }
    heads = HeadShape(queries: queries, keyValues: keyValues, size: size, scale: 1 / Float(size).squareRoot())
    self.epsilon = Float(try config.number("rms_norm_eps", default: epsilon))
    guard self.epsilon >= 0 else { throw config.failure("rms_norm_eps", "must be 0 or more") }
    let context = try config.count("max_position_embeddings", default: rules.context, atMost: 1 << 30)
    // A classifier has no vocabulary head, and nothing reads the one that stands in its place.
    let sharesEmbedding = try config.flag("tie_word_embeddings", default: rules.tied)
    tied = sharesEmbedding || config.isClassifier
    let rope =
      rules.rotaryByLayerType
      ? try config.rotary(
        ofLayers: "full_attention", baseKey: "rope_theta", defaultBase: ropeBase, context: context)
      : try config.rotary(defaultBase: ropeBase, context: context, rules: rules.rotary)
    rotary = try RotaryEmbedding(rope, headSize: size, config)
    if case .longRoPE(let scaling) = rope.scaling {
      self.context = min(context, scaling.originalContext)
    } else {
      self.context = context
    }
    scoreFactor = rope.scoreFactor
  }
}
