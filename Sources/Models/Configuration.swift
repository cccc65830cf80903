import Values

/// A model's config.json as an architecture reads it: typed keys, every error naming file and key.
package struct Configuration {
  package let table: Table
  /// What the table came from, for messages: a path.
  package let source: String

  package init(_ table: Table, source: String) {
    self.table = table
    self.source = source
  }

  package func failure(_ key: String, _ what: String) -> GRAOError {
    GRAOError("\(source): config key '\(key)' \(what)")
  }

  private func present(_ key: String) -> Value? {
    guard let value = table[key], !value.isNull else { return nil }
    return value
  }

  /// A positive integer. The bound keeps products of two sizes far from overflow.
  package func count(_ key: String, default fallback: Int? = nil, atMost limit: Int = 1 << 24) throws(GRAOError) -> Int
  {
    guard let value = present(key) else {
      if let fallback { return fallback }
      throw failure(key, "is missing: expected a positive integer")
    }
    guard let count = value.integer, count > 0 else { throw failure(key, "must be a positive integer") }
    guard count <= limit else { throw failure(key, "is \(count): at most \(limit) is supported") }
    return count
  }

  package func number(_ key: String, default fallback: Double) throws(GRAOError) -> Double {
    guard let value = present(key) else { return fallback }
    guard let number = value.number, number.isFinite else { throw failure(key, "must be a number") }
    return number
  }

  package func positive(_ key: String, default fallback: Double) throws(GRAOError) -> Double {
    let value = try number(key, default: fallback)
    guard value > 0 else { throw failure(key, "must be a positive number") }
    return value
  }

  package func flag(_ key: String, default fallback: Bool) throws(GRAOError) -> Bool {
    guard let value = present(key) else { return fallback }
    guard let flag = value.boolean else { throw failure(key, "must be true or false") }
    return flag
  }

  package func integers(_ key: String) throws(GRAOError) -> [Int] {
    guard let value = present(key) else { return [] }
    if let table = value.table, table.isEmpty { return [] }
    guard let array = value.array else { throw failure(key, "must be an array of integers") }
    var integers: [Int] = []
    for element in array {
      guard let integer = element.integer else { throw failure(key, "must be an array of integers") }
      integers.append(integer)
    }
    return integers
  }

  /// Refuses a feature that the engine does not have, unless the key is absent, null or one of `allowed`.
  package func require(_ key: String, oneOf allowed: [Value], because reason: String) throws(GRAOError) {
    guard let value = present(key), !allowed.contains(value) else { return }
    let text = (try? JSON.print(value)) ?? value.kind
    throw failure(key, "is \(text): \(reason)")
  }

  /// The base of rotary positions: `rope_theta` as transformers 4 writes it, or inside `rope_parameters` as 5 does.
  /// A scaled rope is refused.
  package func ropeBase(default fallback: Double) throws(GRAOError) -> Double {
    for key in ["rope_scaling", "rope_parameters"] {
      guard let rope = present(key) else { continue }
      guard let parameters = rope.table else { throw failure(key, "must be a table") }
      let type = (parameters["rope_type"] ?? parameters["type"])?.string ?? "default"
      guard type == "default" else { throw failure(key, "asks for rope_type '\(type)': only 'default' is supported") }
      if let theta = parameters["rope_theta"], !theta.isNull {
        guard let theta = theta.number, theta.isFinite, theta > 0 else {
          throw failure(key + ".rope_theta", "must be a positive number")
        }
        return theta
      }
    }
    return try positive("rope_theta", default: fallback)
  }
}
