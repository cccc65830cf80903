import Foundation
import Values

/// Rotary positions as a config.json describes them: `rope_theta` and `rope_scaling` as transformers 4 writes them, or
/// `rope_parameters` as 5 does, where layers with a sliding window may have their own.
struct RotaryTable {
  let base: Double?
  /// "default", "linear", "llama3", "yarn", "longrope", …
  let type: String
  /// The keys beside the type.
  let scaling: Table
  let partialFactor: Double
  /// The base in layers with a sliding window, where it is another.
  let slidingBase: Double?

  init(_ config: Table) throws(GRAOError) {
    var key = "rope_parameters"
    if config.given(key) == nil { key = "rope_scaling" }
    var table = Table()
    if let value = config.given(key) {
      guard let given = value.table else { throw config.configFailure(key, "a table") }
      table = given
    }
    let sliding = table["sliding_attention"]?.table
    if let full = table["full_attention"]?.table { table = full }
    base = (table.given("rope_theta") ?? config.given("rope_theta"))?.number
    type = (table.given("rope_type") ?? table.given("type"))?.string ?? "default"
    partialFactor = (table.given("partial_rotary_factor") ?? config.given("partial_rotary_factor"))?.number ?? 1
    slidingBase = (sliding?.given("rope_theta") ?? config.given("rope_local_base_freq"))?.number
    if let own = (sliding?.given("rope_type"))?.string, own != "default" {
      throw config.configFailure(key, "no scaling in layers with a sliding window")
    }
    for name in ["original_max_position_embeddings"] where table[name] == nil { table[name] = config[name] }
    scaling = table
  }

  func failure(_ key: String, _ what: String) -> GRAOError {
    GRAOError("config.json: rope_scaling: \(key) \(what)")
  }

  func number(_ key: String) throws(GRAOError) -> Double {
    guard let number = scaling.given(key)?.number, number > 0, number.isFinite else {
      throw failure(key, "should be a positive number")
    }
    return number
  }
}
