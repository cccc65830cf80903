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

  /// A positive integer: `absent` where the key is, `null` where it is null, or `absent` nil.
  func count(_ key: String, absent: Int?, null: Int) throws(GRAOError) -> Int {
    try count(key, default: table[key] == nil ? absent ?? null : null)
  }

  /// An integer that may be 0.
  package func natural(_ key: String, default fallback: Int) throws(GRAOError) -> Int {
    guard let value = present(key) else { return fallback }
    guard let natural = value.integer, (0...1 << 24).contains(natural) else {
      throw failure(key, "must be an integer from 0 to \(1 << 24)")
    }
    return natural
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

  /// Experts of a layer, `num_local_experts` or `num_experts`, and `num_experts_per_tok`.
  func experts(default fallback: (Int, Int)) throws(GRAOError) -> (experts: Int, perToken: Int) {
    let key = table["num_experts"] == nil ? "num_local_experts" : "num_experts"
    let experts = try count(key, default: fallback.0, atMost: 4096)
    let perToken = try count("num_experts_per_tok", default: fallback.1)
    guard perToken <= experts else {
      throw failure("num_experts_per_tok", "must not exceed the \(experts) experts")
    }
    return (experts, perToken)
  }

  /// Which layers have experts: each `decoder_sparse_step`-th, but for those of `mlp_only_layers`.
  func sparseLayers(_ layers: Int) throws(GRAOError) -> [Bool] {
    let step = try count("decoder_sparse_step", default: 1)
    let dense = Set(try integers("mlp_only_layers"))
    return (0..<layers).map { !dense.contains($0) && ($0 + 1) % step == 0 }
  }
}
