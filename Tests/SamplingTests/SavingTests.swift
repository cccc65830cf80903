import Checkpoints
import Foundation
import Models
import Sampling
import TestSupport
import Testing
import Tokenizers
import Values

@Suite(.machine) struct SavingTests {
  /// The tensors of a model directory as the files hold them: name → type, shape and values as bits. A value of a
  /// narrow type read as float32 has as many different bits as it had in the file.
  static func tensors(_ directory: String) throws -> [String: [UInt32]] {
    let checkpoint = try openCheckpoint(directory)
    var tensors: [String: [UInt32]] = [:]
    for (name, info) in checkpoint.tensors {
      var values = [Float](repeating: 0, count: info.elementCount)
      try values.withUnsafeMutableBufferPointer { try checkpoint.read(name, into: $0) }
      tensors["\(name) \(info.elementType) \(info.shape)"] = values.map(\.bitPattern)
    }
    return tensors
  }

  static func config(_ directory: String, _ name: String = "config.json") throws -> Value {
    try JSON.parse(Data(contentsOf: URL(filePath: "\(directory)/\(name)")), source: name)
  }

  /// Weights of 4 bits and the factors that belong to them go through a save byte for byte; asked for numbers, they are
  /// numbers.
  @Test func quantizedWeightsAreSavedAsTheyWere() throws {
    let folder = Fixtures.path("checkpoints/mxfp4")
    let model = try Model.load(folder)
    let (saved, numbers) = (TemporaryPath(), TemporaryPath())
    try model.save(saved.path)
    let (before, after) = (try openCheckpoint(folder), try openCheckpoint(saved.path))
    #expect(after.rawNames == before.rawNames && before.rawNames.contains { $0.hasSuffix("_blocks") })
    for name in before.rawNames {
      let (a, b) = (try #require(before.raw(name)), try #require(after.raw(name)))
      #expect(a.dtype == b.dtype && a.shape == b.shape && a.bytes.elementsEqual(b.bytes), "\(name)")
    }
    #expect(after.config["quantization_config"] == before.config["quantization_config"])
    #expect(try Model.load(saved.path).logits(.ids([5, 9, 3])) == model.logits(.ids([5, 9, 3])))
    try model.save(numbers.path, elementType: .float32)
    #expect(try openCheckpoint(numbers.path).config["quantization_config"] == nil)
    #expect(try Model.load(numbers.path).logits(.ids([5, 9, 3])) == model.logits(.ids([5, 9, 3])))
  }

  @Test(arguments: [
    "llama", "llama_tied", "qwen3_moe", "llama_float16", "llama_bfloat16", "qwen3_moe_float16", "qwen3_moe_bfloat16",
    "llama_sharded", "qwen3_moe_sharded",
  ])
  func anUntrainedModelIsSavedAsItWas(_ name: String) throws {
    let model = try Model.load(Fixtures.model(name))
    let saved = TemporaryPath()
    try model.save(saved.path)
    #expect(saved.names == ["config.json", "generation_config.json", "model.safetensors"])
    #expect(try Self.tensors(saved.path) == Self.tensors(Fixtures.model(name)))
    #expect(try Self.config(saved.path) == Self.config(Fixtures.model(name)))
    #expect(
      try Self.config(saved.path, "generation_config.json")
        == Self.config(Fixtures.model(name), "generation_config.json"))

    let again = try Model.load(saved.path)
    let prompt = Prompt.ids([5, 17, 33, 9])
    #expect(try again.logits(prompt).map(\.bitPattern) == model.logits(prompt).map(\.bitPattern))
    #expect(again.endOfSequence == model.endOfSequence && again.endOfSequence == [2])
  }

  /// The configurations of transformers 4 keep their own spelling.
  @Test func anOldConfigurationKeepsItsKeys() throws {
    let old = try #require(Self.config(Fixtures.model("qwen3_moe"), "config.v4.json").table)
    let model = try Model(configuration: old, seed: 1)
    let saved = TemporaryPath()
    try model.save(saved.path, elementType: .bfloat16)
    var expected = old
    expected["torch_dtype"] = "bfloat16"
    #expect(try saved.json("config.json") == .table(expected))
    let again = try Model.load(saved.path)
    #expect(again.experts == 6 && again.expertsPerToken == 2 && again.parameterCount == model.parameterCount)
  }

  @Test(arguments: ["llama_bfloat16", "qwen3_moe_float16"]) func aTrainedModelIsSavedInFloat32(_ name: String) throws {
    let model = try Model.load(Fixtures.model(name))
    model.network.parameters.all.start[0] += 0x1p-20
    model.network.isTrained = true
    let saved = TemporaryPath()
    try model.save(saved.path)
    #expect(try openCheckpoint(saved.path).tensors.values.allSatisfy { $0.elementType == .float32 })
    #expect(try saved.json("config.json")["dtype"] == "float32")
    let again = try Model.load(saved.path)
    #expect(try again.logits(.ids([5, 6])).map(\.bitPattern) == model.logits(.ids([5, 6])).map(\.bitPattern))
    // The change is smaller than the file's type can hold: had it been written so, it would be lost.
    #expect(
      again.network.parameters.all.start[0] != (try Model.load(Fixtures.model(name))).network.parameters.all.start[0])

    try model.save(saved.path, elementType: .bfloat16)
    #expect(try openCheckpoint(saved.path).tensors.values.allSatisfy { $0.elementType == .bfloat16 })
    #expect(try saved.json("config.json")["dtype"] == "bfloat16")
  }

  @Test func aTiedHeadIsWrittenOnce() throws {
    let saved = TemporaryPath()
    try Model.load(Fixtures.model("llama_tied")).save(saved.path)
    #expect(try openCheckpoint(saved.path).tensors["lm_head.weight"] == nil)
    #expect(try openCheckpoint(saved.path).tensors["model.embed_tokens.weight"]?.shape == [96, 48])
  }

  @Test func aDirectoryThatIsNoModelIsRefused() throws {
    let model = try Model.load(Fixtures.model("llama"))
    let directory = TemporaryPath()
    try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
    try Data("my thesis".utf8).write(to: URL(filePath: directory.path + "/thesis.txt"))
    let error = try #require(throws: GRAOError.self) { try model.save(directory.path) }
    #expect(error.message.contains(directory.path) && !error.message.contains("\n"))
    #expect(directory.names == ["thesis.txt"])
    #expect(try directory.text("thesis.txt") == "my thesis")

    // A model's directory is replaced as a whole.
    let older = TemporaryPath()
    try Model.load(Fixtures.model("qwen3_moe_sharded")).save(older.path)
    try model.save(older.path)
    #expect(try Self.tensors(older.path) == Self.tensors(Fixtures.model("llama")))
  }

  @Test func aClosedModelSaysSo() throws {
    let model = try Model.load(Fixtures.model("llama"))
    try model.close()
    let saved = TemporaryPath()
    let calls: [() throws -> Void] = [
      { try model.save(saved.path) }, { _ = try model.logits(.ids([1])) },
      { _ = try model.logProbabilities(of: .ids([1]), after: .ids([1])) }, { _ = try model.generate([.ids([1])]) },
    ]
    for call in calls {
      let error = try #require(throws: GRAOError.self) { try call() }
      #expect(error.message == "the model has been closed")
    }
    #expect(saved.names.isEmpty)
    try model.close()
  }

  /// A new model takes its tokenizer along, byte for byte.
  @Test(arguments: ["llama", "qwen3_moe"]) func aNewModelWithATokenizer(_ type: String) throws {
    let folder = Fixtures.root + "/scripts/arithmetic-tokenizer"
    let model = try Tiny.model(type)
    let saved = TemporaryPath()
    try model.save(saved.path)
    for name in ["tokenizer.json", "tokenizer_config.json"] {
      #expect(try saved.bytes(name) == Data(contentsOf: URL(filePath: "\(folder)/\(name)")))
    }
    #expect(try saved.json("config.json")["dtype"] ?? saved.json("config.json")["torch_dtype"] == "float32")
    #expect(
      try saved.json("config.json")["architectures"]
        == [.string(type == "llama" ? "LlamaForCausalLM" : "Qwen3MoeForCausalLM")])
    let again = try Model.load(saved.path)
    #expect(again.endOfSequence == [1])
    #expect(try again.encode(Prompt.text("12+30=")) == [6, 7, 15, 8, 5, 19])
    #expect(try again.logits("12+30=").map(\.bitPattern) == model.logits("12+30=").map(\.bitPattern))
    // Weights are named by the seed.
    #expect(try Tiny.model(type).logits("1").map(\.bitPattern) == model.logits("1").map(\.bitPattern))
    #expect(try Tiny.model(type, seed: 4).logits("1").map(\.bitPattern) != model.logits("1").map(\.bitPattern))
  }
}

/// Random models that speak the arithmetic tokenizer's 80 characters; 1 ends a sequence.
enum Tiny {
  static func model(
    _ type: String, seed: UInt64 = 3, end: Int = 1, _ tokenizer: String = "scripts/arithmetic-tokenizer"
  ) throws -> Model {
    let tokenizer = try Tokenizer.load(directory: Fixtures.root + "/" + tokenizer)
    let config: Value = [
      "model_type": .string(type), "vocab_size": .integer(tokenizer.vocabularySize), "hidden_size": 16,
      "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
      "head_dim": 8, "max_position_embeddings": 128, "num_experts": 4, "num_experts_per_tok": 2,
      "moe_intermediate_size": 8, "initializer_range": 0.2, "eos_token_id": .integer(end),
    ]
    return try Model(configuration: try #require(config.table), tokenizer: tokenizer, seed: seed)
  }
}
