import Values

/// Rotary positions as a config.json describes them.
struct RotaryConfiguration {
  let base: Double
  let scaling: RotaryScaling
  /// What DeepSeek multiplies attention's scores by: the square of YaRN's magnitude for `mscale_all_dim`.
  var scoreFactor = 1.0
}

extension Configuration {
  /// `rope_theta` and `rope_scaling` as transformers 4 writes them, or `rope_parameters` as 5 does. An unknown kind of
  /// scaling is an error that names it.
  func rotary(defaultBase: Double, context: Int) throws(GRAOError) -> RotaryConfiguration {
    for key in ["rope_parameters", "rope_scaling"] {
      guard let value = table[key], !value.isNull else { continue }
      guard let parameters = value.table else { throw failure(key, "must be a table") }
      let rope = Configuration(parameters, source: "\(source): \(key)")
      let base =
        parameters["rope_theta"] == nil
        ? try positive("rope_theta", default: defaultBase) : try rope.positive("rope_theta", default: defaultBase)
      let scaling = try rope.scaling(of: self, context: context)
      return RotaryConfiguration(base: base, scaling: scaling, scoreFactor: try rope.scoreFactor(scaling))
    }
    return RotaryConfiguration(base: try positive("rope_theta", default: defaultBase), scaling: .none)
  }

  /// This is the table of the scaling itself.
  private func scaling(of config: Configuration, context: Int) throws(GRAOError) -> RotaryScaling {
    try require("partial_rotary_factor", oneOf: [1, 1.0], because: "partial rotation is not supported")
    let type = (table["rope_type"] ?? table["type"])?.string ?? "default"
    switch type {
    case "default": return .none
    case "linear": return .linear(try required("factor"))
    case "llama3":
      return .llama3(
        Llama3RotaryScaling(
          factor: try required("factor"), lowFrequencyFactor: try required("low_freq_factor"),
          highFrequencyFactor: try required("high_freq_factor"),
          originalContext: try required("original_max_position_embeddings")))
    case "yarn":
      let original = try positive(
        "original_max_position_embeddings",
        default: try config.positive("original_max_position_embeddings", default: Double(context)))
      let factor = try positive("factor", default: Double(context) / original)
      return .yarn(
        YaRN(
          factor: factor, originalContext: original, fast: try positive("beta_fast", default: 32),
          slow: try positive("beta_slow", default: 1), attentionFactor: try attentionFactor(factor),
          truncates: try flag("truncate", default: true)))
    default:
      throw GRAOError("\(source) asks for rope_type '\(type)': expected default, linear, llama3 or yarn")
    }
  }

  private func attentionFactor(_ factor: Double) throws(GRAOError) -> Double {
    if let given = table["attention_factor"], !given.isNull { return try positive("attention_factor", default: 1) }
    let (multiplier, all) = (try number("mscale", default: 0), try number("mscale_all_dim", default: 0))
    guard multiplier != 0, all != 0 else { return YaRN.magnitude(factor) }
    return YaRN.magnitude(factor, multiplier) / YaRN.magnitude(factor, all)
  }

  private func scoreFactor(_ scaling: RotaryScaling) throws(GRAOError) -> Double {
    if case .none = scaling { return 1 }
    let multiplier = try number("mscale_all_dim", default: 0)
    guard multiplier != 0 else { return 1 }
    let magnitude = YaRN.magnitude(try required("factor"), multiplier)
    return magnitude * magnitude
  }

  private func required(_ key: String) throws(GRAOError) -> Double {
    guard table[key] != nil else { throw failure(key, "is missing: expected a positive number") }
    return try positive(key, default: 1)
  }
}
