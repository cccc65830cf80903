import Values

/// A key of config.json and the metadata key that tells it.
struct GGUFKey: Sendable {
  /// Its name in config.json.
  let name: String
  /// The metadata key, without the architecture's name before it.
  private let ggufKey: String
  /// The metadata key that stands in where `ggufKey` is missing.
  private let orKey: String?
  private let isInteger: Bool
  /// The value where the file has none.
  private let or: Double?

  init(_ name: String, _ ggufKey: String, orKey: String? = nil, isInteger: Bool = true, or: Double? = nil) {
    self.name = name
    self.ggufKey = ggufKey
    self.orKey = orKey
    self.isInteger = isInteger
    self.or = or
  }

  /// All these values are positive, and the integers have 32 bits.
  func value(in file: GGUFFile, prefix: String) throws(GRAOError) -> Value {
    let key = "\(prefix).\(ggufKey)"
    guard let value = file.metadata[key] ?? orKey.flatMap({ file.metadata["\(prefix).\($0)"] }) else {
      if let or { return .number(or) }
      throw GRAOError("\(file.path): the metadata key \"\(key)\" is missing")
    }
    if isInteger, let integer = value.integer, integer > 0, integer <= Int(Int32.max) { return .integer(integer) }
    if !isInteger, let number = value.number, number > 0, number.isFinite {
      // The file has 32 bits; the shortest decimal that means them is what config.json said.
      return .number(Double(Float(number).description) ?? number)
    }
    throw GRAOError(
      "\(file.path): the metadata key \"\(key)\": expected a positive \(isInteger ? "integer" : "number")")
  }
}
