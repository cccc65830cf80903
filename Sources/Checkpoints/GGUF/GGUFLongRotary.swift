import Foundation
import Values

/// Phi 3's scaling for long contexts ("longrope"): a factor for each frequency, in two lists.
struct GGUFLongRotary: GGUFTrait {
  private static let lists = [
    ("long_factor", "rope_factors_long.weight"), ("short_factor", "rope_factors_short.weight"),
  ]

  func read(_ file: GGUFSource, into config: inout Table) throws(GRAOError) {
    if let original = try file.positive("rope.scaling.original_context_length") {
      config["original_max_position_embeddings"] = .integer(original)
    }
    var scaling: Table = ["type": "longrope"]
    for (key, tensor) in Self.lists {
      guard let factors = try file.elements(tensor) else { continue }
      scaling[key] = .array(factors.map { .number(shortest(Double($0))) })
    }
    guard scaling.count > 1 else { return }
    guard scaling.count == 3 else {
      throw GRAOError("\(file.file.path): expected both rope_factors_long.weight and rope_factors_short.weight")
    }
    config["rope_scaling"] = .table(scaling)
  }

  func write(_ config: Table, to metadata: inout GGUFMetadata) throws(GRAOError) {
    let rope = try RotaryTable(config)
    let context = try config.number("max_position_embeddings")
    let original =
      config.given("original_max_position_embeddings")?.number
      ?? rope.scaling.given("original_max_position_embeddings")?.number ?? context
    guard let length = UInt32(exactly: original), length > 1 else {
      throw config.configFailure("original_max_position_embeddings", "a positive integer")
    }
    metadata.set("rope.scaling.original_context_length", .unsigned(length))
    guard rope.type == "longrope" || rope.type == "su" else { return }
    metadata.set("rope.scaling.type", .string("longrope"))
    let scale = context / original
    let attention =
      rope.scaling.given("attention_factor") != nil
      ? try rope.number("attention_factor") : scale > 1 ? sqrt(1 + log(scale) / log(original)) : 1
    metadata.set("rope.scaling.attn_factor", .number(Float(attention)))
    for (key, tensor) in Self.lists {
      guard let factors = rope.scaling.given(key)?.array?.map(\.number), !factors.contains(nil) else {
        throw rope.failure(key, "should be an array of numbers")
      }
      metadata.add(tensor, factors.compactMap { $0.map { Float($0) } })
    }
  }
}
