import Checkpoints
import Foundation
import Models
import Sampling
import TestSupport
import Testing
import Tokenizers
import Values

/// Models saved as GGUF files, and read again.
@Suite(.machine) struct GGUFSavingTests {
  private static func expectSameLogits(_ a: Model, _ b: Model, within tolerance: Float = 0) throws {
    for prompt in [[5], [9, 8, 7, 6, 5, 4], Array(3..<20)] as [[Int32]] {
      let (x, y) = (try a.logits(.ids(prompt)), try b.logits(.ids(prompt)))
      #expect(largestDifference(x, y) <= tolerance)
    }
  }

  @Test(arguments: ["granitemoe", "llama-linear", "mixtral", "olmo2", "olmoe", "qwen2_moe-sparse", "qwen3", "phi3"])
  func aSavedFileIsTheModel(_ name: String) throws {
    let model = try Model.load(Fixtures.path("architectures/\(name)"))
    let place = TemporaryPath()
    let path = place.path + ".gguf"
    defer { _ = remove(path) }
    try model.saveGGUF(path)
    let again = try Model.load(path)
    #expect(again.architecture == model.architecture && again.parameterCount == model.parameterCount)
    try Self.expectSameLogits(again, model)
  }

  @Test func whatGGUFCannotSayIsAnErrorAndLeavesNoFile() throws {
    let model = try Model.load(Fixtures.path("architectures/gemma3_text"))
    let path = TemporaryPath().path + ".gguf"
    let error = try #require(throws: GRAOError.self) { try model.saveGGUF(path) }
    #expect(error.message.hasPrefix("config.json: layer_types is "))
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  /// Experts stacked in one tensor make the same file as experts one by one.
  @Test(arguments: ["mixtral", "olmoe", "qwen2_moe-sparse"]) func stackedExpertsMakeTheSameFile(_ name: String) throws {
    let single = try openCheckpoint(Fixtures.path("architectures/\(name)"))
    let fused = EditedCheckpoint(single)
    fused.fuseExperts()
    #expect(!fused.tensors.keys.contains { $0.contains(".experts.0.") })
    var files: [Data] = []
    for checkpoint in [single, fused] {
      let path = TemporaryPath().path + ".gguf"
      defer { _ = remove(path) }
      let tensors = checkpoint.tensors.values.map { info in
        OutgoingTensor(info) { elements throws(GRAOError) in try checkpoint.read(info.name, into: elements) }
      }
      try GGUFWriter(config: checkpoint.config, tensors: tensors, tokenizer: Table(), elementType: .f32).write(to: path)
      files.append(try Data(contentsOf: URL(filePath: path)))
    }
    #expect(files[0] == files[1])
  }

  @Test func theTypesRoundAsTheySay() throws {
    let model = try Model.load(Fixtures.path("architectures/qwen3"))
    var last: Float = 0
    for type in [GGUFElementType.f32, .f16, .bf16, .q80] {
      let path = TemporaryPath().path + ".gguf"
      defer { _ = remove(path) }
      try model.saveGGUF(path, type: type)
      let difference = largestDifference(
        try Model.load(path).logits(.ids([5, 6, 7])), try model.logits(.ids([5, 6, 7])))
      // Each is coarser than the one before, and not by much.
      #expect(type == .f32 ? difference == 0 : difference > last && difference < 1, "\(type)")
      last = difference
      if type == .bf16 { last = 0 }
    }
  }

  /// What the network does not use goes through a save as it was; a tied head written out does not.
  @Test func unusedTensorsAreCarried() throws {
    let original = try openCheckpoint(Fixtures.model("llama_tied"))
    let rotary = TensorInfo(
      name: "model.layers.0.self_attn.rotary_emb.inv_freq", shape: [3], elementType: .float16)
    let values: [Float] = [0.5, -0.0, 7]
    let source = TemporaryPath()
    let embedding = try #require(original.tensors["model.embed_tokens.weight"])
    let extra = [
      OutgoingTensor(rotary) { _ = $0.update(fromContentsOf: values) },
      OutgoingTensor(TensorInfo(name: "lm_head.weight", shape: embedding.shape, elementType: .float32)) {
        elements throws(GRAOError) in try original.read(embedding.name, into: elements)
      },
    ]
    let tensors = original.tensors.keys.sorted().compactMap { original.raw($0).map { OutgoingTensor($0) } }
    #expect(tensors.count == original.tensors.count)
    try CheckpointWriter(config: original.config, tensors: tensors + extra).write(to: source.path)

    let place = TemporaryPath()
    try Model.load(source.path).save(place.path)
    let saved = try openCheckpoint(place.path)
    #expect(saved.tensors["lm_head.weight"] == nil)
    let raw = try #require(saved.raw("model.layers.0.self_attn.rotary_emb.inv_freq"))
    let before = try #require(openCheckpoint(source.path).raw(rotary.name))
    #expect(raw.shape == [3] && raw.dtype == "F16" && raw.bytes.elementsEqual(before.bytes))
    try Self.expectSameLogits(Model.load(place.path), Model.load(source.path))
  }
}
