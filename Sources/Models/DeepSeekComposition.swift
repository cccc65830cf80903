import Kernels
import Values

/// What DeepSeek-V2 and V3 have in common: latent attention, leading dense layers, then routed experts beside shared ones
/// that are one SwiGLU. Keys, names and defaults are transformers'.
struct DeepSeekShape {
  let decoder: DecoderShape
  let latent: LatentShape
  /// Channels of the compressed queries; nil: queries are one projection.
  let queryRank: Int?
  let attentionBias: Bool
  let experts: Int
  /// 0 where `n_shared_experts` is null, as the models' own code reads it.
  let sharedExperts: Int
  let denseLayers: Int
  let denseHidden: Int
  let expertHidden: Int

  /// Of the norms inside of attention, whatever `rms_norm_eps` is.
  private static let innerEpsilon: Float = 1e-6

  /// What an absent key means.
  struct Defaults {
    let context, experts, sharedExperts, denseLayers, expertHidden: Int
  }

  init(_ config: Configuration, _ defaults: Defaults, interleaved: Bool) throws(GRAOError) {
    try config.require("moe_layer_freq", oneOf: [1], because: "only 1, experts in every layer, is supported")
    let rotary = try config.count("qk_rope_head_dim", default: 64)
    guard rotary % 2 == 0 else { throw config.failure("qk_rope_head_dim", "must be even for rotary positions") }
    // Rotary positions see heads of the rotated part alone.
    var table = config.table
    table["head_dim"] = .integer(rotary)
    table["max_position_embeddings"] = .integer(
      try config.count("max_position_embeddings", default: defaults.context, atMost: 1 << 30))
    decoder = try DecoderShape(Configuration(table, source: config.source), ropeBase: 10_000, epsilon: 1e-6)
    let heads = decoder.heads.queries
    guard heads <= 4096 else {
      throw config.failure("num_attention_heads", "is \(heads): at most 4096 is supported in latent attention")
    }
    guard decoder.heads.keyValues == heads else {
      throw config.failure("num_key_value_heads", "must equal num_attention_heads (\(heads)) in latent attention")
    }
    let plain = try config.count("qk_nope_head_dim", default: 128)
    latent = LatentShape(
      heads: heads, latent: try config.count("kv_lora_rank", default: 512), rotary: rotary, plain: plain,
      value: try config.count("v_head_dim", default: 128),
      scale: Float(decoder.scoreFactor / Double(plain + rotary).squareRoot()), interleaved: interleaved)
    // Null is no compression, absent is the default.
    let hasRank = config.table["q_lora_rank"].map { !$0.isNull } ?? true
    queryRank = hasRank ? try config.count("q_lora_rank", default: 1536) : nil
    attentionBias = try config.flag("attention_bias", default: false)
    experts = try config.count("n_routed_experts", default: defaults.experts, atMost: 4096)
    sharedExperts =
      config.table["n_shared_experts"]?.isNull == true
      ? 0 : try config.count("n_shared_experts", default: defaults.sharedExperts, atMost: 4096)
    denseLayers = try config.natural("first_k_dense_replace", default: defaults.denseLayers)
    denseHidden = denseLayers > 0 ? try config.count("intermediate_size") : 0
    expertHidden = try config.count("moe_intermediate_size", default: defaults.expertHidden)
  }

  /// `n_group` groups of experts and the `topk_group` best of them, which must leave experts enough to choose
  /// `perToken` from.
  func groups(
    _ config: Configuration, default fallback: (count: Int, kept: Int), perToken: Int
  ) throws(GRAOError) -> (count: Int, kept: Int) {
    let count = try config.count("n_group", default: fallback.count)
    let kept = try config.count("topk_group", default: fallback.kept)
    guard experts % count == 0 else { throw config.failure("n_group", "must divide the \(experts) experts") }
    guard kept <= count else { throw config.failure("topk_group", "must not exceed the \(count) groups") }
    guard perToken <= kept * (experts / count) else {
      throw config.failure(
        "num_experts_per_tok", "must not exceed the \(kept * (experts / count)) experts that the groups leave")
    }
    return (count, kept)
  }

  func plan(
    in store: ParameterStore, rule: RoutingRule, balancing: LoadBalancing, isCorrected: Bool, bias: Bool = false
  ) throws(GRAOError) -> ArchitecturePlan {
    let channels = decoder.channels
    let composed = try decoder.decoder(in: store, DecoderStyle()) { index, name in
      attention(name + ".self_attn", layer: index, in: store)
    } feedForward: { index, name in
      guard index >= denseLayers else {
        return SwiGLU(name, channels: channels, hidden: denseHidden, bias: bias, in: store)
      }
      let routed = SparseFeedForward(
        layer: index, name, ExpertShape(count: experts, channels: channels, hidden: expertHidden), rule: rule,
        isCorrected: isCorrected, in: store)
      guard sharedExperts > 0 else { return routed }
      return SharedExpert(
        routed: routed,
        shared: SwiGLU(
          name + ".shared_experts", channels: channels, hidden: expertHidden * sharedExperts, bias: bias, in: store),
        gate: nil)
    }
    return ArchitecturePlan(
      decoder: composed, context: decoder.context, vocabulary: decoder.vocabulary, keyValueHeads: latent.heads,
      headSize: latent.rotary, keyValueWidth: KeyValueWidth(keys: latent.attention.size, values: 0),
      expertsPerToken: rule.perToken, balancing: balancing)
  }

  private func attention(_ name: String, layer: Int, in store: ParameterStore) -> LatentAttention {
    let channels = decoder.channels
    func norm(_ part: String, _ size: Int) -> RMSNorm {
      RMSNorm("\(name).\(part)", channels: size, epsilon: Self.innerEpsilon, in: store)
    }
    // Declared in the order of computation, which names the random numbers of a new model.
    let compression = queryRank.map { rank in
      (
        down: Linear(name + ".q_a_proj", inputs: channels, outputs: rank, bias: attentionBias, in: store),
        norm: norm("q_a_layernorm", rank)
      )
    }
    let projection = Linear(
      name + (compression == nil ? ".q_proj" : ".q_b_proj"), inputs: queryRank ?? channels,
      outputs: latent.heads * (latent.plain + latent.rotary), in: store)

    /// Outputs from `first` on of the projection to [latent, rotary key].
    func part(_ outputs: Int, from first: Int) -> Linear {
      let (down, width) = (name + ".kv_a_proj_with_mqa", latent.latent + latent.rotary)
      let weight = store.matrix(outputs, channels, at: .rows(from: first, of: down + ".weight", width, channels))
      let place = Placement(down + ".bias", [width], offset: first, rowStride: 0)
      return Linear(weight: weight, bias: attentionBias ? store.vector([outputs], .zeros, at: place) : nil)
    }
    let (latentPart, rotaryPart) = (part(latent.latent, from: 0), part(latent.rotary, from: latent.latent))
    let latentNorm = norm("kv_a_layernorm", latent.latent)

    // kv_b_proj [H · (N + U), R]: of each head first the keys, then the values.
    let (up, rank, rows) = (name + ".kv_b_proj.weight", latent.latent, latent.plain + latent.value)
    let shape = [latent.heads * rows, rank]
    let absorb = store.experts(latent.heads, rank, latent.plain) {
      Placement(up, shape, offset: $0 * rows * rank, rowStride: 1, columnStride: rank)
    }
    let value = store.experts(latent.heads, latent.value, rank) {
      .rows(from: $0 * rows + latent.plain, of: up, shape[0], rank)
    }
    return LatentAttention(
      layer: layer, queries: LatentQueries(projection: projection, compression: compression), latent: latentPart,
      rotaryKey: rotaryPart, latentNorm: latentNorm, absorb: absorb, value: value,
      o: Linear(
        name + ".o_proj", inputs: latent.heads * latent.value, outputs: channels, bias: attentionBias, in: store),
      rotary: decoder.rotary, shape: latent)
  }
}
