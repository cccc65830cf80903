import Values

/// Rotary positions as a config.json describes them.
struct RotaryConfiguration {
  let base: Double
  let scaling: RotaryScaling
  /// The part of a head's channels that turn: the first ones.
  var fraction = 1.0
  /// What DeepSeek multiplies attention's scores by: the square of YaRN's magnitude for `mscale_all_dim`.
  var scoreFactor = 1.0
}

/// How an architecture's reading of rotary positions departs from Llama's.
struct RotaryRules {
  /// Whether `partial_rotary_factor` may be less than 1.
  var isPartial = false
  /// Other names of "longrope".
  var longRoPENames: Set<String> = []
  /// The default of `original_max_position_embeddings`, where the architecture reads it beside the table of the scaling
  /// and not in it.
  var originalContext: Int?
}

extension Configuration {
  /// `rope_theta` and `rope_scaling` as transformers 4 writes them, or `rope_parameters` as 5 does. An unknown kind of
  /// scaling is an error that names it.
  func rotary(
    defaultBase: Double, context: Int, rules: RotaryRules = RotaryRules()
  ) throws(GRAOError) -> RotaryConfiguration {
    for key in ["rope_scaling", "rope_parameters"] {
      guard let value = table[key], !value.isNull else { continue }
      guard let parameters = value.table else { throw failure(key, "must be a table") }
      if let type = Self.layerTypes.first(where: { parameters[$0] != nil }) {
        throw failure("\(key).\(type)", "is there: this architecture has the same rotary positions in every layer")
      }
      let rope = Configuration(parameters, source: "\(source): \(key)")
      let base =
        parameters["rope_theta"] == nil
        ? try positive("rope_theta", default: defaultBase) : try rope.positive("rope_theta", default: defaultBase)
      let scaling = try rope.scaling(of: self, context: context, rules)
      return RotaryConfiguration(
        base: base, scaling: scaling, fraction: try rope.rotaryFraction(of: self, rules),
        scoreFactor: try rope.scoreFactor(scaling))
    }
    return RotaryConfiguration(
      base: try positive("rope_theta", default: defaultBase), scaling: .none,
      fraction: try rotaryFraction(of: self, rules))
  }

  /// The kinds of layers that may have rotary positions of their own.
  private static let layerTypes = ["full_attention", "sliding_attention"]

  /// The rotary positions of the layers of one kind: in `rope_parameters` a table for each, as transformers 5 writes
  /// them; `baseKey`, and `rope_scaling` for full attention alone, as transformers 4 does.
  func rotary(
    ofLayers type: String, baseKey: String, defaultBase: Double, context: Int
  ) throws(GRAOError) -> RotaryConfiguration {
    var parameters = Table()
    if let value = table["rope_parameters"], !value.isNull {
      guard let kinds = value.table, kinds.allSatisfy({ Self.layerTypes.contains($0.key) }) else {
        throw failure("rope_parameters", "must have a table for each of \(Self.layerTypes.joined(separator: ", "))")
      }
      if let kind = kinds[type], !kind.isNull {
        guard let kind = kind.table else { throw failure("rope_parameters.\(type)", "must be a table") }
        parameters = kind
      }
    }
    if type == "full_attention", let value = table["rope_scaling"], !value.isNull {
      guard let scaling = value.table else { throw failure("rope_scaling", "must be a table") }
      for (key, value) in scaling { parameters[key] = value }
    }
    let rope = Configuration(parameters, source: "\(source): rope_parameters.\(type)")
    let rules = RotaryRules()
    return RotaryConfiguration(
      base: try rope.positive("rope_theta", default: try positive(baseKey, default: defaultBase)),
      scaling: try rope.scaling(of: self, context: context, rules), fraction: try rope.rotaryFraction(of: self, rules))
  }

  /// This is the table of the scaling, or the whole configuration.
  private func rotaryFraction(of config: Configuration, _ rules: RotaryRules) throws(GRAOError) -> Double {
    let key = "partial_rotary_factor"
    let fraction = try positive(key, default: try config.positive(key, default: 1))
    guard fraction == 1 || rules.isPartial else {
      throw failure(key, "is \(fraction): this architecture turns whole heads")
    }
    guard fraction <= 1 else { throw failure(key, "is \(fraction): must be at most 1") }
    return fraction
  }

  /// This is the table of the scaling itself.
  private func scaling(
    of config: Configuration, context: Int, _ rules: RotaryRules
  ) throws(GRAOError) -> RotaryScaling {
    let key = table["rope_type"] == nil ? "type" : "rope_type"
    guard let type = (table[key] ?? "default").string else { throw failure(key, "must be a string") }
    switch rules.longRoPENames.contains(type) ? "longrope" : type {
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
    case "longrope":
      return .longRoPE(try longRoPE(of: config, context: context, rules))
    default:
      throw GRAOError("\(source) asks for rope_type '\(type)': expected default, linear, llama3, longrope or yarn")
    }
  }

  private func longRoPE(of config: Configuration, context: Int, _ rules: RotaryRules) throws(GRAOError) -> LongRoPE {
    let key = "original_max_position_embeddings"
    let beside = try config.count(key, default: rules.originalContext ?? context, atMost: 1 << 30)
    let isBeside = rules.originalContext != nil || config.table[key] != nil
    let original = isBeside ? beside : try count(key, default: context, atMost: 1 << 30)
    let factor = try positive("factor", default: Double(context) / Double(original))
    let attentionFactor = try positive(
      "attention_factor", default: LongRoPE.attentionFactor(factor, originalContext: original))
    return LongRoPE(
      factors: try positives("short_factor"), originalContext: original, attentionFactor: attentionFactor)
  }

  private func attentionFactor(_ factor: Double) throws(GRAOError) -> Double {
    if let given = table["attention_factor"], !given.isNull { return try positive("attention_factor", default: 1) }
    let (multiplier, all) = (try number("mscale", default: 0), try number("mscale_all_dim", default: 0))
    guard multiplier != 0, all != 0 else { return YaRN.magnitude(factor) }
    return YaRN.magnitude(factor, multiplier) / YaRN.magnitude(factor, all)
  }

  private func positives(_ key: String) throws(GRAOError) -> [Double] {
    guard let array = table[key]?.array else { throw failure(key, "must be an array of positive numbers") }
    let numbers = array.compactMap(\.number).filter { $0 > 0 && $0.isFinite }
    guard numbers.count == array.count else { throw failure(key, "must be an array of positive numbers") }
    return numbers
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

extension RotaryEmbedding {
  /// - Parameter config: for messages.
  convenience init(_ rope: RotaryConfiguration, headSize: Int, _ config: Configuration) throws(GRAOError) {
    let turning = Int(Double(headSize) * rope.fraction)
    guard turning > 0, turning % 2 == 0 else {
      throw config.failure("partial_rotary_factor", "leaves \(turning) channels of a head: must be even")
    }
    if case .longRoPE(let scaling) = rope.scaling, scaling.factors.count != turning / 2 {
      throw config.failure("short_factor", "has \(scaling.factors.count) numbers: expected \(turning / 2)")
    }
    self.init(
      RotaryFrequencies(size: turning, base: rope.base, scaling: rope.scaling), headSize: headSize)
  }
}
