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
  let attentionBias: Bool
  let rotary: RotaryEmbedding

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
    self.epsilon = Float(try config.positive("rms_norm_eps", default: epsilon))
    context = try config.count("max_position_embeddings", default: 2048, atMost: 1 << 30)
    tied = try config.flag("tie_word_embeddings", default: false)
    attentionBias = try config.flag("attention_bias", default: false)
    rotary = RotaryEmbedding(headSize: size, base: try config.ropeBase(default: ropeBase))
  }

  /// A decoder of this shape with Hugging Face's parameter names.
  /// - Parameters:
  ///   - headNorms: whether q and k are normed head by head.
  ///   - feedForward: the second half of layer `index`, whose parameters' names begin with `name`.
  func decoder(
    in store: ParameterStore, headNorms: Bool, feedForward: (_ index: Int, _ name: String) -> any FeedForward
  ) -> Decoder {
    let embedding = store.matrix("model.embed_tokens.weight", vocabulary, channels)
    let decoderLayers = (0..<layers).map { index in
      let name = "model.layers.\(index)"
      return DecoderLayer(
        attentionNorm: norm(name + ".input_layernorm", in: store),
        attention: attention(name + ".self_attn", layer: index, headNorms: headNorms, in: store),
        feedForwardNorm: norm(name + ".post_attention_layernorm", in: store),
        feedForward: feedForward(index, name + ".mlp"))
    }
    return Decoder(
      embedding: embedding, layers: decoderLayers, norm: norm("model.norm", in: store),
      head: VocabularyHead(weight: tied ? embedding : store.matrix("lm_head.weight", vocabulary, channels)))
  }

  private func norm(_ name: String, in store: ParameterStore) -> RMSNorm {
    RMSNorm(name, channels: channels, epsilon: epsilon, in: store)
  }

  private func attention(_ name: String, layer: Int, headNorms: Bool, in store: ParameterStore) -> Attention {
    func linear(_ part: String, _ inputs: Int, _ outputs: Int) -> Linear {
      Linear(name + "." + part, inputs: inputs, outputs: outputs, bias: attentionBias, in: store)
    }
    func headNorm(_ part: String) -> RMSNorm? {
      headNorms ? RMSNorm(name + "." + part, channels: heads.size, epsilon: epsilon, in: store) : nil
    }
    return Attention(
      layer: layer,
      q: linear("q_proj", channels, heads.queries * heads.size),
      k: linear("k_proj", channels, heads.keyValues * heads.size),
      v: linear("v_proj", channels, heads.keyValues * heads.size),
      o: linear("o_proj", heads.queries * heads.size, channels),
      qNorm: headNorm("q_norm"), kNorm: headNorm("k_norm"), rotary: rotary, heads: heads)
  }
}
