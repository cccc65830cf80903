import Checkpoints
import Foundation
import Sampling
import TestSupport
import Testing
import Values

/// Directories that are not the model they should be: one clear line each, with the file and the key or tensor.
@Suite(.machine) struct LoadingErrorTests {
  /// What loading says of a fixture after a change of its config or its tensors.
  static func failure(
    _ name: String = "llama", config change: (inout Table) -> Void = { _ in },
    tensors: (inout [String: (shape: [Int], values: [Float])]) -> Void = { _ in }
  ) throws -> (message: String, path: String) {
    let source = try openCheckpoint(Fixtures.model(name))
    var stored: [String: (shape: [Int], values: [Float])] = [:]
    for (name, info) in source.tensors {
      var values = [Float](repeating: 0, count: info.elementCount)
      try values.withUnsafeMutableBufferPointer { try source.read(name, into: $0) }
      stored[name] = (info.shape, values)
    }
    tensors(&stored)
    var config = source.config
    change(&config)
    let outgoing = stored.sorted { $0.key < $1.key }.map { name, tensor in
      OutgoingTensor(TensorInfo(name: name, shape: tensor.shape, elementType: .float32)) { buffer in
        for (index, value) in tensor.values.enumerated() { buffer[index] = value }
      }
    }
    let directory = TemporaryPath()
    try CheckpointWriter(config: config, tensors: outgoing).write(to: directory.path)
    let error = try #require(throws: GRAOError.self) { try Model.load(directory.path) }
    #expect(!error.message.contains("\n"))
    return (error.message, directory.path)
  }

  @Test func tensors() throws {
    let norm = "model.layers.1.input_layernorm.weight"
    var (message, path) = try Self.failure(tensors: { $0[norm] = nil })
    #expect(message == "\(path): tensor '\(norm)' of shape [48] is missing")
    (message, path) = try Self.failure(tensors: { $0[norm] = ([24, 2], Array(repeating: 1, count: 48)) })
    #expect(message == "\(path): tensor '\(norm)' has shape [24, 2], expected [48]")
    (message, path) = try Self.failure(tensors: { $0["model.extra.weight"] = ([2], [1, 2]) })
    #expect(message == "\(path): tensor 'model.extra.weight' is unknown to the architecture 'llama'")
    (message, path) = try Self.failure(
      "qwen3_moe", tensors: { $0["model.layers.2.mlp.experts.5.up_proj.weight"] = nil })
    #expect(message == "\(path): tensor 'model.layers.2.mlp.experts.5.up_proj.weight' of shape [24, 32] is missing")
    // Another layer or another expert than the config has.
    (message, path) = try Self.failure(config: { $0["num_hidden_layers"] = 2 })
    #expect(
      message.hasPrefix("\(path): tensor 'model.layers.2.") && message.hasSuffix("unknown to the architecture 'llama'"))
    (message, path) = try Self.failure("qwen3_moe", config: { $0["num_local_experts"] = 7 })
    #expect(message == "\(path): tensor 'model.layers.0.mlp.gate.weight' has shape [6, 32], expected [7, 32]")
  }

  /// What old checkpoints hold besides is no error: rotary tables, and a tied head written out.
  @Test func tensorsThatMayBeThere() throws {
    for name in ["llama", "llama_tied"] {
      let source = try openCheckpoint(Fixtures.model(name))
      let extra = name == "llama" ? "model.layers.0.self_attn.rotary_emb.inv_freq" : "lm_head.weight"
      let copies = source.tensors.values.sorted { $0.name < $1.name }.map { info in
        OutgoingTensor(info) { buffer throws(GRAOError) in try source.read(info.name, into: buffer) }
      }
      let added = OutgoingTensor(TensorInfo(name: extra, shape: [96, 48], elementType: .float32)) {
        $0.update(repeating: 0)
      }
      let directory = TemporaryPath()
      try CheckpointWriter(config: source.config, tensors: copies + [added]).write(to: directory.path)
      let model = try Model.load(directory.path)
      let plain = try Model.load(Fixtures.model(name))
      #expect(try model.logits(.ids([5])) == plain.logits(.ids([5])))
    }
  }

  @Test func configurations() throws {
    let cases: [(String, (inout Table) -> Void, String)] = [
      ("llama", { $0["model_type"] = "mamba" }, "config key 'model_type' is 'mamba': expected one of \(modelTypes)"),
      ("llama", { $0["model_type"] = nil }, "config key 'model_type' is missing: expected one of \(modelTypes)"),
      ("llama", { $0["hidden_size"] = nil }, "config key 'hidden_size' is missing: expected a positive integer"),
      ("llama", { $0["hidden_size"] = "48" }, "config key 'hidden_size' must be a positive integer"),
      ("llama", { $0["hidden_size"] = -48 }, "config key 'hidden_size' must be a positive integer"),
      ("llama", { $0["num_hidden_layers"] = 2.5 }, "config key 'num_hidden_layers' must be a positive integer"),
      (
        "llama", { $0["num_key_value_heads"] = 4 },
        "config key 'num_key_value_heads' must divide num_attention_heads (6)"
      ),
      ("llama", { $0["head_dim"] = 7 }, "config key 'head_dim' must be even for rotary positions"),
      ("llama", { $0["rms_norm_eps"] = "tiny" }, "config key 'rms_norm_eps' must be a number"),
      ("llama", { $0["tie_word_embeddings"] = 1 }, "config key 'tie_word_embeddings' must be true or false"),
      ("llama", { $0["hidden_act"] = "gelu" }, "config key 'hidden_act' is \"gelu\": only 'silu' is supported"),
      ("llama", { $0["attention_dropout"] = 0.1 }, "config key 'attention_dropout' is 0.1: dropout is not supported"),
      (
        "llama", { $0["rope_parameters"] = ["rope_type": "llama3", "rope_theta": 10_000, "factor": 8] },
        "rope_parameters: config key 'low_freq_factor' is missing: expected a positive number"
      ),
      (
        "llama",
        {
          $0["rope_parameters"] = nil
          $0["rope_scaling"] = ["type": "longrope", "factor": 2]
        }, "rope_scaling: config key 'short_factor' must be an array of positive numbers"
      ),
      (
        "llama", { $0["rope_parameters"] = ["rope_theta": -1] },
        "rope_parameters: config key 'rope_theta' must be a positive number"
      ),
      ("llama", { $0["rope_parameters"] = "default" }, "config key 'rope_parameters' must be a table"),
      (
        "qwen3_moe",
        {
          $0["use_sliding_window"] = true
          $0["sliding_window"] = 0
        }, "config key 'sliding_window' must be a positive integer"
      ),
      (
        "llama", { $0["rope_parameters"] = ["rope_type": "dynamic", "factor": 2] },
        "rope_parameters asks for rope_type 'dynamic': expected default, linear, llama3, longrope or yarn"
      ),
      (
        "llama", { $0["rope_parameters"] = ["rope_type": "linear"] },
        "rope_parameters: config key 'factor' is missing: expected a positive number"
      ),
      (
        "qwen3_moe", { $0["num_experts_per_tok"] = 7 }, "config key 'num_experts_per_tok' must not exceed the 6 experts"
      ),
      ("qwen3_moe", { $0["mlp_only_layers"] = 1 }, "config key 'mlp_only_layers' must be an array of integers"),
    ]
    for (name, change, expected) in cases {
      let (message, path) = try Self.failure(name, config: change)
      #expect(message == "\(path): \(expected)")
    }
  }

  /// Sizes that no memory holds are an error of one line too.
  @Test func sizesBeyondReason() throws {
    var large = try #require(Fixtures.json("models/llama/config.json").table)
    (large["vocab_size"], large["hidden_size"]) = (.integer(1 << 24), .integer(1 << 20))
    let memory = try #require(throws: GRAOError.self) { try Model(configuration: large) }
    #expect(memory.message.hasPrefix("config: the weights take more than this machine's "))
    for key in ["vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "head_dim"] {
      let (message, path) = try Self.failure(config: { $0[key] = .integer(1 << 31) })
      #expect(message.hasPrefix(path), "\(message)")
      let table = try #require(Fixtures.json("models/llama/config.json").table)
      var config = table
      config[key] = .integer(1 << 31)
      let error = try #require(throws: GRAOError.self) { try Model(configuration: config) }
      #expect(error.message.hasPrefix("config: "), "\(error.message)")
    }
    // Each within its bound, their product not.
    for (folder, heads) in [("models/llama", "head_dim"), ("architectures/deepseek_v2", "v_head_dim")] {
      var wide = try #require(Fixtures.json("\(folder)/config.json").table)
      for key in ["num_attention_heads", "num_key_value_heads"] { wide[key] = .integer(4096) }
      (wide["hidden_size"], wide[heads]) = (.integer(1 << 24), .integer(1 << 24))
      let error = try #require(throws: GRAOError.self) { try Model(configuration: wide) }
      #expect(error.message.hasPrefix("config: "), "\(error.message)")
    }
    let (message, path) = try Self.failure("qwen3_moe", config: { $0["num_local_experts"] = .integer(1 << 31) })
    #expect(message.hasPrefix(path), "\(message)")
  }

  @Test func placesThatAreNoModel() throws {
    let missing = TemporaryPath()
    let error = try #require(throws: GRAOError.self) { try Model.load(missing.path) }
    #expect(error.message.contains(missing.path) && !error.message.contains("\n"))
    let tokenizers = Fixtures.path("tokenizers/gpt2")
    let folder = try #require(throws: GRAOError.self) { try Model.load(tokenizers) }
    #expect(folder.message == "\(tokenizers): there is no config.json, so it is not a model directory")
  }
}
