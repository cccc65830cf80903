import Values

/// A sliding window that files do not tell: llama.cpp attends to everything. Up to the window's length that is the
/// same, so that the file's context ends there.
struct GGUFUntoldWindow: GGUFTrait {
  /// Whether config.json says by `use_sliding_window` that the window is in use.
  var hasSwitch = false

  func read(_ file: GGUFSource, into config: inout Table) {}

  func write(_ config: Table, to metadata: inout GGUFMetadata) throws(GRAOError) {
    // What Mistral has where config.json lacks the key.
    let isMistral = config["model_type"] == "mistral"
    var config = config
    if isMistral, config["sliding_window"] == nil { config["sliding_window"] = 4096 }
    guard config.given("sliding_window") != nil else { return }
    if hasSwitch, config.given("use_sliding_window")?.boolean != true { return }
    let context = try config.positive("max_position_embeddings")
    metadata.set("context_length", .unsigned(min(context, try config.positive("sliding_window"))))
  }
}

/// A sliding window in all layers or in none: 0 in the file.
struct GGUFWindow: GGUFTrait {
  func read(_ file: GGUFSource, into config: inout Table) throws(GRAOError) {
    let window = file.value("attention.sliding_window")?.integer ?? 0
    guard window >= 0 else { throw file.failure("attention.sliding_window", "should not be negative") }
    config["sliding_window"] = window == 0 ? .null : .integer(window)
  }

  func write(_ config: Table, to metadata: inout GGUFMetadata) throws(GRAOError) {
    let isGiven = config.given("sliding_window") != nil
    metadata.set("attention.sliding_window", .unsigned(isGiven ? try config.positive("sliding_window") : 0))
  }
}

/// Gemma's windows: in all layers but each `period`-th.
struct GGUFAlternatingWindows: GGUFTrait {
  let period: Int
  let byDefault: Int
  /// Whether the layers with a window have a base of rotary positions of their own.
  var hasOwnBase = false

  func read(_ file: GGUFSource, into config: inout Table) throws(GRAOError) {
    config["sliding_window"] = .integer(try file.positive("attention.sliding_window") ?? byDefault)
    guard hasOwnBase else { return }
    config["sliding_window_pattern"] = .integer(period)
    config["rope_local_base_freq"] = .number(try file.number("rope.freq_base_swa") ?? 10_000)
  }

  func write(_ config: Table, to metadata: inout GGUFMetadata) throws(GRAOError) {
    metadata.set(
      "attention.sliding_window",
      .unsigned(config.given("sliding_window") == nil ? UInt32(byDefault) : try config.positive("sliding_window")))
    if let types = config.given("layer_types")?.array {
      for (layer, type) in types.enumerated() {
        guard type.string == ((layer + 1) % period == 0 ? "full_attention" : "sliding_attention") else {
          throw config.configFailure("layer_types", "a sliding window in all layers but each \(period)th")
        }
      }
    } else if let own = config.given("sliding_window_pattern"), own.integer != period {
      throw config.configFailure("sliding_window_pattern", "\(period)")
    }
    if hasOwnBase { metadata.set("rope.freq_base_swa", .number(Float(try RotaryTable(config).slidingBase ?? 10_000))) }
  }
}

/// What queries are scaled by, which llama.cpp tells from the number of layers: the inverse square root of a head's
/// size, but of the hidden size over the heads in the one model of Gemma's with `layers` layers, the 27B.
struct GGUFQueryScale: GGUFTrait {
  let layers: Int

  func read(_ file: GGUFSource, into config: inout Table) { config["query_pre_attn_scalar"] = scalar(config) }

  func write(_ config: Table, to metadata: inout GGUFMetadata) throws(GRAOError) {
    guard let expected = scalar(config), (config.given("query_pre_attn_scalar") ?? 256) == expected else {
      throw config.configFailure("query_pre_attn_scalar", "\(scalar(config)?.integer ?? 0)")
    }
  }

  private func scalar(_ config: Table) -> Value? {
    guard config["num_hidden_layers"]?.integer == layers else { return config["head_dim"] ?? 256 }
    guard let hidden = config["hidden_size"]?.integer, let heads = config["num_attention_heads"]?.integer, heads > 0
    else { return nil }
    return .integer(hidden / heads)
  }
}
