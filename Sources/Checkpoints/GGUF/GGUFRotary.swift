import Foundation
import Values

/// Rotary positions: the base, and how they are scaled.
struct GGUFRotary: GGUFTrait {
  /// Whether llama.cpp reads the architecture's frequencies from a tensor: then Llama 3's scaling can be told.
  var hasFrequencies = false
  /// YaRN's magnitude as DeepSeek has it, told by mscale and mscale_all_dim.
  var hasMagnitudes = false
  /// Whether the bounds of YaRN's blend are whole channels. llama.cpp rounds them always, also in gpt-oss, whose weights
  /// were trained without.
  var truncates = true
  /// transformers' base where config.json has none.
  var defaultBase = 10_000.0

  // MARK: From a file

  func read(_ file: GGUFSource, into config: inout Table) throws(GRAOError) {
    config["rope_theta"] = .number(try file.number("rope.freq_base") ?? 10_000)
    if let scaling = try scaling(file, config) { config["rope_scaling"] = .table(scaling) }
  }

  private func scaling(_ file: GGUFSource, _ config: Table) throws(GRAOError) -> Table? {
    let type = file.value("rope.scaling.type")?.string
    var factor = try file.number("rope.scaling.factor")
    if factor == nil { factor = try file.number("rope.scale_linear") }
    switch type {
    case nil, "none", "linear":
      if let factors = try file.elements("rope_freqs.weight"), factors.contains(where: { $0 != 1 }) {
        return try llama3(file, config, factors)
      }
      guard type != "none", let factor, factor != 1 else { return nil }
      return ["rope_type": "linear", "factor": .number(factor)]
    case "yarn": return try yarn(file, config, factor)
    case "longrope":
      // The lists of factors are Phi 3's: see GGUFLongRotary.
      return nil
    case let type?: throw file.failure("rope.scaling.type", "is \"\(type)\", which is not supported")
    }
  }

  private func yarn(_ file: GGUFSource, _ config: Table, _ factor: Double?) throws(GRAOError) -> Table {
    guard let factor else { throw file.failure("rope.scaling.factor", "is missing") }
    var scaling: Table = ["rope_type": "yarn", "factor": .number(factor)]
    scaling["original_max_position_embeddings"] =
      try file.positive("rope.scaling.original_context_length").map { .integer($0) }
      ?? config["max_position_embeddings"]
    if !truncates { scaling["truncate"] = false }
    for (key, ggufKey) in [("beta_fast", "yarn_beta_fast"), ("beta_slow", "yarn_beta_slow")] {
      scaling[key] = try file.number("rope.scaling.\(ggufKey)").map { .number($0) }
    }
    if let given = try file.number("rope.scaling.attn_factor"), given != 1 {
      scaling["attention_factor"] = .number(given * Self.magnitude(factor))
    }
    if let multiplier = try file.number("rope.scaling.yarn_log_multiplier") {
      guard hasMagnitudes else { throw file.failure("rope.scaling.yarn_log_multiplier", "is not supported") }
      // A tenth of it stands in the file; float32 has 7 digits.
      let magnitude = (multiplier * 1e7).rounded() / 1e6
      scaling["mscale"] = .number(magnitude)
      scaling["mscale_all_dim"] = .number(magnitude)
    }
    return scaling
  }

  /// The scaling of which `factors` are the outcome: files keep nothing else of it.
  private func llama3(_ file: GGUFSource, _ config: Table, _ factors: [Float]) throws(GRAOError) -> Table {
    let base = config["rope_theta"]?.number ?? defaultBase
    let factor = Double(factors.max() ?? 1)
    for high in [4.0, 2, 8] where factor > 1 {
      for exponent in 3..<21 {
        let candidate = Llama3Factors(factor: factor, low: 1, high: high, original: Double(1 << exponent))
        if candidate.isClose(to: factors, base: base) {
          return [
            "rope_type": "llama3", "factor": .number(factor), "low_freq_factor": 1, "high_freq_factor": .number(high),
            "original_max_position_embeddings": .integer(1 << exponent),
          ]
        }
      }
    }
    throw GRAOError("\(file.file.path): tensor \"rope_freqs.weight\": not the factors of Llama 3's scaling")
  }

  // MARK: To a file

  func write(_ config: Table, to metadata: inout GGUFMetadata) throws(GRAOError) {
    let rope = try RotaryTable(config)
    metadata.set("rope.freq_base", .number(Float(rope.base ?? defaultBase)))
    switch rope.type {
    case "default": break
    case "linear":
      metadata.set("rope.scaling.type", .string("linear"))
      metadata.set("rope.scaling.factor", .number(Float(try rope.number("factor"))))
    case "llama3" where hasFrequencies:
      let factors = Llama3Factors(
        factor: try rope.number("factor"), low: try rope.number("low_freq_factor"),
        high: try rope.number("high_freq_factor"), original: try rope.number("original_max_position_embeddings"))
      let head = Int(try GGUFHeads.size(config))
      metadata.add("rope_freqs.weight", factors.values(base: rope.base ?? defaultBase, count: head / 2))
    case "yarn": try writeYaRN(rope, config, to: &metadata)
    case "longrope", "su": break
    default: throw rope.failure("rope_type", "is \"\(rope.type)\", which llama.cpp does not have in this architecture")
    }
  }

  private func writeYaRN(
    _ rope: RotaryTable, _ config: Table, to metadata: inout GGUFMetadata
  ) throws(GRAOError) {
    let factor = try rope.number("factor")
    metadata.set("rope.scaling.type", .string("yarn"))
    metadata.set("rope.scaling.factor", .number(Float(factor)))
    let isTold = rope.scaling.given("original_max_position_embeddings") != nil
    let original =
      try isTold ? rope.number("original_max_position_embeddings") : config.number("max_position_embeddings")
    guard let length = UInt32(exactly: original) else {
      throw rope.failure("original_max_position_embeddings", "should be a whole number")
    }
    metadata.set("rope.scaling.original_context_length", .unsigned(length))
    for (key, ggufKey, fixed) in [("beta_fast", "yarn_beta_fast", 32.0), ("beta_slow", "yarn_beta_slow", 1)]
    where rope.scaling.given(key) != nil {
      guard try rope.number(key) == fixed else {
        throw rope.failure(key, "should be \(fixed): llama.cpp has no other in this architecture")
      }
      metadata.set("rope.scaling.\(ggufKey)", .number(Float(fixed)))
    }
    guard (rope.scaling.given("truncate")?.boolean ?? true) == truncates else {
      throw rope.failure(
        "truncate", truncates ? "should be true: llama.cpp rounds YaRN's bounds" : "should be false, as in gpt-oss")
    }
    if rope.scaling.given("attention_factor") != nil {
      let own = try rope.number("attention_factor") / Self.magnitude(factor)
      metadata.set("rope.scaling.attn_factor", .number(Float(own)))
    }
    let magnitude = rope.scaling.given("mscale")?.number
    let ofAll = rope.scaling.given("mscale_all_dim")?.number
    guard magnitude == ofAll, magnitude == nil || hasMagnitudes else {
      throw rope.failure("mscale", "should equal mscale_all_dim, as llama.cpp takes it to, and be DeepSeek's")
    }
    if let ofAll { metadata.set("rope.scaling.yarn_log_multiplier", .number(Float(0.1 * ofAll))) }
  }

  /// YaRN's factor of attention (arXiv 2309.00071, section 3.4).
  private static func magnitude(_ factor: Double) -> Double { factor <= 1 ? 1 : 0.1 * log(factor) + 1 }
}

/// By what Llama 3's scaling divides each frequency.
private struct Llama3Factors {
  let factor: Double
  let low: Double
  let high: Double
  let original: Double

  func values(base: Double, count: Int) -> [Float] {
    (0..<count).map { index in
      let wavelength = 2 * Double.pi * pow(base, Double(index) / Double(count))
      if wavelength < original / high { return 1 }
      if wavelength > original / low { return Float(factor) }
      let smooth = (original / wavelength - low) / (high - low)
      return Float(1 / ((1 - smooth) / factor + smooth))
    }
  }

  func isClose(to factors: [Float], base: Double) -> Bool {
    // The converter works in float32.
    zip(values(base: base, count: factors.count), factors).allSatisfy { abs($0 - $1) <= 1e-4 * abs($1) }
  }
}
