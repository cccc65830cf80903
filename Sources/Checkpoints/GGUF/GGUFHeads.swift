import Values

/// The sizes of attention with heads for queries, and as many or fewer for keys and values.
struct GGUFHeads: GGUFTrait {
  func read(_ file: GGUFSource, into config: inout Table) throws(GRAOError) {
    guard let hidden = config["hidden_size"]?.integer, let heads = config["num_attention_heads"]?.integer else {
      return
    }
    let told = try file.positive("attention.key_length")
    guard let head = told ?? (hidden % heads == 0 ? hidden / heads : nil) else {
      throw file.failure("attention.key_length", "is missing (\(hidden) in \(heads) heads does not go)")
    }
    config["head_dim"] = .integer(head)
    for key in ["attention.value_length", "rope.dimension_count"] {
      if let size = try file.positive(key), size != head {
        throw file.failure(key, "is \(size); expected the size of a head, \(head)")
      }
    }
  }

  func write(_ config: Table, to metadata: inout GGUFMetadata) throws(GRAOError) {
    let head = try Self.size(config)
    metadata.set("attention.key_length", .unsigned(head))
    metadata.set("attention.value_length", .unsigned(head))
    metadata.set("rope.dimension_count", .unsigned(head))
  }

  /// head_dim, or the hidden size in equal parts.
  static func size(_ config: Table) throws(GRAOError) -> UInt32 {
    if config.given("head_dim") != nil { return try config.positive("head_dim") }
    let (hidden, heads) = (try config.positive("hidden_size"), try config.positive("num_attention_heads"))
    guard hidden % heads == 0 else {
      throw config.configFailure("head_dim", "the size of a head (\(hidden) in \(heads) heads does not go)")
    }
    return hidden / heads
  }
}

/// Phi 3's heads: equal parts of the hidden size, of which positions may turn a part.
struct GGUFPartlyTurnedHeads: GGUFTrait {
  func read(_ file: GGUFSource, into config: inout Table) throws(GRAOError) {
    guard let hidden = config["hidden_size"]?.integer, let heads = config["num_attention_heads"]?.integer else {
      return
    }
    guard hidden % heads == 0 else {
      throw file.failure("attention.head_count", "is \(heads), which does not divide the hidden size \(hidden)")
    }
    let head = hidden / heads
    let turned = try file.positive("rope.dimension_count") ?? head
    guard turned <= head else {
      throw file.failure("rope.dimension_count", "is \(turned); expected no more than the size of a head, \(head)")
    }
    if turned < head { config["partial_rotary_factor"] = .number(Double(turned) / Double(head)) }
  }

  func write(_ config: Table, to metadata: inout GGUFMetadata) throws(GRAOError) {
    let (hidden, heads) = (try config.positive("hidden_size"), try config.positive("num_attention_heads"))
    guard hidden % heads == 0, try GGUFHeads.size(config) == hidden / heads else {
      throw config.configFailure("head_dim", "equal parts of hidden_size")
    }
    let part = try RotaryTable(config).partialFactor
    guard part > 0, part <= 1 else { throw config.configFailure("partial_rotary_factor", "a number from 0 to 1") }
    metadata.set("rope.dimension_count", .unsigned(UInt32(Double(hidden / heads) * part)))
  }
}

/// The sizes of multi-head latent attention (DeepSeek-V2, arXiv 2405.04434). Files say them of the attention that
/// llama.cpp computes, over the latent vectors with one head of keys; old files say them of the heads.
struct GGUFLatentHeads: GGUFTrait {
  func read(_ file: GGUFSource, into config: inout Table) throws(GRAOError) {
    func size(_ key: String, orKey: String) throws(GRAOError) -> Int {
      if let size = try file.positive(key) { return size }
      guard let size = try file.positive(orKey) else { throw file.failure(key, "is missing") }
      return size
    }
    let key = try size("attention.key_length_mla", orKey: "attention.key_length")
    guard let turned = try file.positive("rope.dimension_count"), turned < key else {
      throw file.expected("rope.dimension_count", "less than the size of a key, \(key)")
    }
    let queryRank = file.value("attention.q_lora_rank") == 0 ? nil : try file.positive("attention.q_lora_rank")
    config["q_lora_rank"] = queryRank.map { .integer($0) } ?? .null
    config["qk_nope_head_dim"] = .integer(key - turned)
    config["qk_rope_head_dim"] = .integer(turned)
    config["v_head_dim"] = .integer(try size("attention.value_length_mla", orKey: "attention.value_length"))
    config["num_key_value_heads"] = config["num_attention_heads"]
  }

  func write(_ config: Table, to metadata: inout GGUFMetadata) throws(GRAOError) {
    let turned = try config.positive("qk_rope_head_dim")
    let rank = try config.positive("kv_lora_rank")
    // Without the key llama.cpp loads no model but those of 26, 27 or 48 layers.
    let hasQueryRank = config.given("q_lora_rank") != nil
    metadata.set("attention.q_lora_rank", .unsigned(hasQueryRank ? try config.positive("q_lora_rank") : 0))
    metadata.set("attention.head_count_kv", .unsigned(1))
    metadata.set("attention.key_length", .unsigned(rank &+ turned))
    metadata.set("attention.value_length", .unsigned(rank))
    metadata.set("attention.key_length_mla", .unsigned(try config.positive("qk_nope_head_dim") &+ turned))
    metadata.set("attention.value_length_mla", .unsigned(try config.positive("v_head_dim")))
    metadata.set("rope.dimension_count", .unsigned(turned))
  }
}
