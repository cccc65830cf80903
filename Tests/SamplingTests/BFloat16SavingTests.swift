import Checkpoints
import Foundation
import Kernels
import Models
import Sampling
import TestSupport
import Testing

/// Files of models that are kept in bfloat16.
@Suite(.machine) struct BFloat16SavingTests {
  @Test(arguments: ["llama_bfloat16", "qwen3_moe_bfloat16"]) func itsOwnFilesGoRoundUnchanged(_ name: String) throws {
    let model = try Model.load(Fixtures.model(name), computeType: .bfloat16)
    #expect(model.computeType == .bfloat16)
    let place = TemporaryPath()
    try model.save(place.path)
    let (before, after) = try (openCheckpoint(Fixtures.model(name)), openCheckpoint(place.path))
    #expect(before.tensors == after.tensors)
    for name in before.rawNames {
      #expect(before.raw(name).map { Array($0.bytes) } == after.raw(name).map { Array($0.bytes) }, "\(name)")
    }
  }

  /// An untrained model keeps the types that its files had; its numbers are the rounded ones.
  @Test func filesOfAnotherTypeKeepIt() throws {
    let model = try Model.load(Fixtures.model("llama"), computeType: .bfloat16)
    let place = TemporaryPath()
    try model.save(place.path)
    let saved = try openCheckpoint(place.path)
    #expect(saved.tensors.values.allSatisfy { $0.elementType == .float32 })
    let again = try Model.load(place.path, computeType: .bfloat16)
    #expect(try again.logits(.ids([5, 6, 7])).map(\.bitPattern) == model.logits(.ids([5, 6, 7])).map(\.bitPattern))
  }

  @Test func newModelsHaveTheTypeToo() throws {
    let config = try #require(try Fixtures.json("models/qwen3_moe/config.json").table)
    let (single, half) = try (
      Model(configuration: config, seed: 3), Model(configuration: config, seed: 3, computeType: .bfloat16)
    )
    let (a, b) = try (single.logits(.ids([5, 6, 7])), half.logits(.ids([5, 6, 7])))
    #expect(a != b)
    #expect(largestDifference(a, b) < 0.02)
  }
}
