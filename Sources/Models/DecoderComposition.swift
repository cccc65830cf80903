import Kernels
import Values

/// How a family of decoders differs from Llama in what surrounds its feed-forward; parameter names are transformers'.
struct DecoderStyle {
  /// RMS norms on q and k.
  enum QueryKeyNorm {
    case none
    /// Over each head's channels.
    case heads
    /// Over all channels of the projection.
    case whole
  }

  /// Where the norms of the residual branches stand.
  enum NormPlacement {
    /// input_layernorm before attention, post_attention_layernorm before the feed-forward.
    case before
    /// post_attention_layernorm and post_feedforward_layernorm after them.
    case after
    /// Before and after: input_, post_attention_, pre_feedforward_ and post_feedforward_layernorm.
    case both
  }

  var queryKeyValueBias = false
  var outputBias = false
  /// Whether q, k and v are the parts of one tensor, qkv_proj, without bias.
  var fusesQueryKeyValue = false
  var queryKeyNorm = QueryKeyNorm.none
  var norms = NormPlacement.before
  /// Keys that a query of each layer sees, 0 for all: empty where all layers see all.
  var windows: [Int] = []
  /// Rotary positions of each layer: empty where all have the shape's.
  var rotaries: [RotaryEmbedding] = []
  /// A logit for each head that joins the softmax of its scores: self_attn.sinks.
  var hasSinks = false
  /// Of the scores q · k: 1 / √(head size) where nil.
  var attentionScale: Float?
  /// Of the scores, after their scale, and of logits, after theirs; 0: off.
  var attentionSoftcap: Float = 0
  var logitsSoftcap: Float = 0
  /// Whether norms multiply by 1 + weight.
  var zeroCenteredNorms = false
  /// What embeddings, the outputs of both branches of a layer, and logits are multiplied by.
  var embeddingScale: Float = 1
  var residualScale: Float = 1
  var logitsScale: Float = 1
  /// What stands before the feed-forward's part of a parameter's name.
  var feedForwardName = "mlp"
}

/// Decoders composed of the shared layers.
extension DecoderShape {
  /// - Parameter feedForward: the second half of layer `index`, whose parameters' names begin with `name`.
  func decoder(
    in store: ParameterStore, _ style: DecoderStyle = DecoderStyle(),
    feedForward: (_ index: Int, _ name: String) throws(GRAOError) -> any FeedForward
  ) throws(GRAOError) -> Decoder {
    try decoder(in: store, style) { index, name in
      attention(name + ".self_attn", layer: index, style, in: store)
    } feedForward: { index, name throws(GRAOError) in
      try feedForward(index, name)
    }
  }

  /// The same with attention of another kind, whose parameters' names begin with `name`.self_attn.
  func decoder(
    in store: ParameterStore, _ style: DecoderStyle, attention: (_ index: Int, _ name: String) -> any Layer,
    feedForward: (_ index: Int, _ name: String) throws(GRAOError) -> any FeedForward
  ) throws(GRAOError) -> Decoder {
    let embedding = store.matrix("model.embed_tokens.weight", vocabulary, channels)
    var decoderLayers: [DecoderLayer] = []
    for index in 0..<layers {
      store.beginLayer()
      let name = "model.layers.\(index)"
      func norm(_ part: String) -> RMSNorm { self.norm(name + "." + part, style, in: store) }
      let before = style.norms != .after
      let after = style.norms != .before
      // Declared in this order, which names the random numbers of a new model.
      let attentionLayer = Residual(
        before: before ? norm("input_layernorm") : nil, attention(index, name),
        after: after ? norm("post_attention_layernorm") : nil,
        scale: style.residualScale)
      let feedForwardNorm =
        before ? norm(after ? "pre_feedforward_layernorm" : "post_attention_layernorm") : nil
      let body = try feedForward(index, name + "." + style.feedForwardName)
      let feedForwardLayer = Residual(
        before: feedForwardNorm, body, after: after ? norm("post_feedforward_layernorm") : nil,
        scale: style.residualScale)
      decoderLayers.append(DecoderLayer(attention: attentionLayer, feedForward: feedForwardLayer, body: body))
    }
    store.beginLayer()
    return Decoder(
      embedding: embedding, layers: decoderLayers, norm: norm("model.norm", style, in: store),
      head: VocabularyHead(
        weight: tied ? embedding : store.matrix("lm_head.weight", vocabulary, channels), scale: style.logitsScale,
        softcap: style.logitsSoftcap),
      embeddingScale: style.embeddingScale)
  }

  private func norm(
    _ name: String, channels: Int? = nil, _ style: DecoderStyle, in store: ParameterStore
  ) -> RMSNorm {
    RMSNorm(
      name, channels: channels ?? self.channels, epsilon: epsilon, isZeroCentered: style.zeroCenteredNorms, in: store)
  }

  private func attention(_ name: String, layer: Int, _ style: DecoderStyle, in store: ParameterStore) -> Attention {
    let (queries, keyValues) = (heads.queries * heads.size, heads.keyValues * heads.size)
    let heads = HeadShape(
      queries: heads.queries, keyValues: heads.keyValues, size: heads.size,
      scale: style.attentionScale ?? heads.scale, softcap: style.attentionSoftcap,
      window: style.windows.isEmpty ? 0 : style.windows[layer])
    func projection(_ part: String, from first: Int, _ outputs: Int) -> Linear {
      guard style.fusesQueryKeyValue else {
        return Linear(
          name + "." + part, inputs: channels, outputs: outputs, bias: style.queryKeyValueBias, in: store)
      }
      return Linear(
        rows: first..<first + outputs, of: name + ".qkv_proj", inputs: channels, outputs: queries + 2 * keyValues,
        in: store)
    }
    func norm(_ part: String, _ channels: Int) -> RMSNorm? {
      switch style.queryKeyNorm {
      case .none: nil
      case .heads: self.norm(name + "." + part, channels: heads.size, style, in: store)
      case .whole: self.norm(name + "." + part, channels: channels, style, in: store)
      }
    }
    return Attention(
      layer: layer,
      q: projection("q_proj", from: 0, queries),
      k: projection("k_proj", from: queries, keyValues),
      v: projection("v_proj", from: queries + keyValues, keyValues),
      o: Linear(name + ".o_proj", inputs: queries, outputs: channels, bias: style.outputBias, in: store),
      qNorm: norm("q_norm", queries), kNorm: norm("k_norm", keyValues),
      rotary: style.rotaries.isEmpty ? rotary : style.rotaries[layer], heads: heads,
      sinks: style.hasSinks
        ? store.vector([heads.queries], .normal, at: Placement(name + ".sinks", [heads.queries])) : nil)
  }
}
