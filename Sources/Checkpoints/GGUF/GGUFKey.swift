import Values

/// A key of config.json and the metadata key that tells it.
struct GGUFKey: GGUFTrait {
  enum Kind {
    /// A positive integer of 32 bits.
    case integer
    /// The same, or 0.
    case count
    /// A positive number; files hold it in float32.
    case number
    case boolean
  }

  /// Its name in config.json, and the one that newer versions of transformers give it.
  private let name: String
  private let orName: String?
  /// The metadata key, without the architecture's name before it.
  private let ggufKey: String
  /// The metadata key that stands in where `ggufKey` is missing.
  private let orKey: String?
  private let kind: Kind
  /// What it is where neither side tells; null where config.json has null then, nil where it must be told.
  private let byDefault: Value?
  /// What it is where config.json lacks it, and only there.
  private let whenUnset: Value?

  init(
    _ name: String, orName: String? = nil, _ ggufKey: String, orKey: String? = nil, _ kind: Kind = .integer,
    byDefault: Value? = nil, whenUnset: Value? = nil
  ) {
    self.name = name
    self.orName = orName
    self.ggufKey = ggufKey
    self.orKey = orKey
    self.kind = kind
    self.byDefault = byDefault
    self.whenUnset = whenUnset
  }

  func read(_ file: GGUFSource, into config: inout Table) throws(GRAOError) {
    guard let value = file.value(ggufKey) ?? orKey.flatMap({ file.value($0) }) else {
      guard let byDefault else { throw file.failure(ggufKey, "is missing") }
      config[name] = byDefault
      return
    }
    switch kind {
    case .integer, .count:
      if let integer = value.integer, integer >= (kind == .count ? 0 : 1), integer <= Int(Int32.max) {
        config[name] = .integer(integer)
        return
      }
    case .number:
      if let number = value.number, number > 0, number.isFinite {
        config[name] = .number(shortest(number))
        return
      }
    case .boolean:
      if value.boolean != nil {
        config[name] = value
        return
      }
    }
    throw file.expected(ggufKey, "\(expected)")
  }

  func write(_ config: Table, to metadata: inout GGUFMetadata) throws(GRAOError) {
    guard let value = config.given(name) ?? orName.flatMap({ config.given($0) }) ?? byDefault ?? whenUnset
    else {
      throw config.configFailure(name, expected)
    }
    guard !value.isNull else { return }
    switch kind {
    case .integer, .count:
      if let integer = value.integer, integer >= (kind == .count ? 0 : 1), let number = UInt32(exactly: integer) {
        return metadata.set(ggufKey, .unsigned(number))
      }
    case .number:
      if let number = value.number, number > 0, number.isFinite {
        return metadata.set(ggufKey, .number(Float(number)))
      }
    case .boolean:
      if let flag = value.boolean { return metadata.set(ggufKey, .boolean(flag)) }
    }
    throw config.configFailure(name, expected)
  }

  private var expected: String {
    switch kind {
    case .integer: "a positive integer"
    case .count: "an integer that is not negative"
    case .number: "a positive number"
    case .boolean: "true or false"
    }
  }
}

/// A key of config.json whose value llama.cpp takes for granted.
struct GGUFConstant: GGUFTrait {
  private let name: String
  private let value: Value
  /// What transformers takes where config.json lacks the key.
  private let whenMissing: Value
  /// Whether a config.json made from a file has the key.
  private let isTold: Bool

  init(_ name: String, _ value: Value, whenMissing: Value? = nil, isTold: Bool = true) {
    self.name = name
    self.value = value
    self.whenMissing = whenMissing ?? value
    self.isTold = isTold
  }

  func read(_ file: GGUFSource, into config: inout Table) { if isTold { config[name] = value } }

  func write(_ config: Table, to metadata: inout GGUFMetadata) throws(GRAOError) {
    guard (config[name] ?? whenMissing) == value else {
      throw config.configFailure(name, (try? JSON.print(value)) ?? "another value")
    }
  }
}

/// A metadata key that repeats what another says.
struct GGUFCopy: GGUFTrait {
  private let name: String
  private let ggufKey: String

  /// - Parameter name: in config.json.
  init(_ name: String, to ggufKey: String) {
    self.name = name
    self.ggufKey = ggufKey
  }

  func read(_ file: GGUFSource, into config: inout Table) throws(GRAOError) {
    guard let size = try file.positive(ggufKey) else { return }
    config[name] = .integer(size)
  }

  func write(_ config: Table, to metadata: inout GGUFMetadata) throws(GRAOError) {
    metadata.set(ggufKey, .unsigned(try config.positive(name)))
  }
}
