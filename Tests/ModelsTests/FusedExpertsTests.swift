import Checkpoints
import Models
import TestSupport
import Testing

@Suite(.machine) struct FusedExpertsTests {
  @Test(arguments: ["deepseek_v2", "deepseek_v3", "mixtral", "olmoe", "qwen2_moe", "qwen3_moe-window"])
  func stackedExpertsAreTheSameModel(_ name: String) throws {
    let single = try openCheckpoint(Fixtures.path("architectures/\(name)"))
    let fused = EditedCheckpoint(single)
    fused.fuseExperts()
    #expect(fused.tensors.keys.contains { $0.hasSuffix(".experts.gate_up_proj") })
    #expect(!fused.tensors.keys.contains { $0.contains(".experts.0.") })
    let ids: [Int32] = [5, 9, 3, 17, 22, 8, 41, 30]
    #expect(try Network.load(single).logits(after: ids) == Network.load(fused).logits(after: ids))
  }
}
