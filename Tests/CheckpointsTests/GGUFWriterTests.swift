import Glibc
import Testing
import Values

@testable import Checkpoints

/// What GGUFWriter refuses and leaves alone; what it writes is GGUFGoldenTests'.
struct GGUFWriterTests {
  private func writer(_ name: String, _ change: (inout Table) -> Void = { _ in }) throws -> GGUFWriter {
    let model = try openCheckpoint(fixture("../gguf_converted/\(name)"))
    var config = model.config
    change(&config)
    let tensors = model.tensors.values.sorted { $0.name < $1.name }.map { info in
      OutgoingTensor(info) { room throws(GRAOError) in try model.read(info.name, into: room) }
    }
    return GGUFWriter(config: config, tensors: tensors, tokenizer: Table(), elementType: .f32)
  }

  private func message(_ name: String, _ change: (inout Table) -> Void) throws -> String {
    let directory = try TemporaryDirectory()
    let message = failure { try writer(name, change).write(to: "\(directory.path)/model.gguf") }
    #expect(directory.names() == [])
    return message
  }

  /// Whatever llama.cpp would compute otherwise.
  @Test func keysThatLlamaCppLacksAreNamed() throws {
    #expect(try message("llama") { $0["model_type"] = "mamba" }.contains("a model of type \"mamba\" cannot be written"))
    #expect(try message("llama") { $0["hidden_act"] = "gelu" }.contains("hidden_act is \"gelu\""))
    #expect(try message("qwen3moe") { $0["norm_topk_prob"] = false }.contains("norm_topk_prob is false"))
    #expect(try message("qwen3moe") { $0["norm_topk_prob"] = nil }.contains("norm_topk_prob is missing"))
    #expect(try message("qwen3moe") { $0["mlp_only_layers"] = [0] }.contains("mlp_only_layers is [0]"))
    #expect(try message("olmoe") { $0["clip_qkv"] = 8.0 }.contains("clip_qkv is 8.0"))
    #expect(try message("gemma2") { $0["query_pre_attn_scalar"] = 64 }.contains("query_pre_attn_scalar is 64"))
    #expect(
      try message("gemma3") { $0["layer_types"] = ["full_attention", "sliding_attention"] }.contains("layer_types"))
    #expect(
      try message("qwen2") { $0["rope_scaling"] = ["rope_type": "dynamic", "factor": 2] }.contains("\"dynamic\""))
    #expect(try message("qwen2") { $0["rope_scaling"] = ["rope_type": "llama3"] }.contains("\"llama3\""))
    for (key, value) in [("beta_fast", 16), ("beta_slow", 2)] as [(String, Value)] {
      #expect(
        try message("qwen2") { config in
          var rope = config["rope_scaling"]?.table ?? Table()
          rope[key] = value
          config["rope_scaling"] = .table(rope)
        }.contains("rope_scaling: \(key) should be"))
    }
    #expect(
      try message("gpt_oss") { config in
        var rope = config["rope_scaling"]?.table ?? Table()
        rope["truncate"] = true
        config["rope_scaling"] = .table(rope)
      }.contains("truncate should be false"))
    #expect(try message("gpt_oss") { $0["swiglu_limit"] = 6.0 }.contains("swiglu_limit is 6.0"))
    #expect(try message("deepseek_v3") { $0["scoring_func"] = "softmax" }.contains("scoring_func is \"softmax\""))
    #expect(try message("llama") { $0["num_attention_heads"] = 3 }.contains("does not fit 3 heads"))
    #expect(try message("llama") { $0["num_hidden_layers"] = 0 }.contains("num_hidden_layers is 0"))
    #expect(try message("mixtral") { $0["num_local_experts"] = 4 }.contains("expected 4 experts of one shape, found 3"))
    #expect(try message("deepseek_v2") { $0["num_hidden_layers"] = 1 }.contains("\"model.layers.1."))
  }

  /// llama.cpp has V3's way of scoring groups, and no way of keeping all.
  @Test func groupsOfExpertsAreThoseOfLlamaCpp() throws {
    func groups(_ name: String, _ change: (inout Table) -> Void) throws -> [Value?] {
      let directory = try TemporaryDirectory()
      let path = "\(directory.path)/model.gguf"
      try writer(name, change).write(to: path)
      let config = try openCheckpoint(path).config
      return [config["n_group"], config["topk_group"], config["routed_scaling_factor"], config["norm_topk_prob"]]
    }
    let limited = try message("deepseek_v2") {
      $0["topk_method"] = "group_limited_greedy"
      $0["n_group"] = 2
    }
    #expect(limited.contains("topk_method is \"group_limited_greedy\"") && limited.contains("scores groups otherwise"))
    #expect(try groups("deepseek_v2") { $0["n_group"] = 2 } == [1, 1, 1.5, false])
    #expect(
      try groups("deepseek_v2") {
        $0["topk_method"] = "group_limited_greedy"
        $0["n_group"] = 2
        $0["topk_group"] = 2
      } == [1, 1, 1.5, false])
    #expect(try groups("deepseek_v3") { _ in } == [2, 1, 2.5, true])
    #expect(try groups("deepseek_v3") { $0["topk_group"] = 2 } == [1, 1, 2.5, true])
    // What is left out is what transformers takes.
    #expect(
      try groups("deepseek_v3") { config in
        for key in ["n_group", "topk_group", "routed_scaling_factor", "norm_topk_prob"] { config[key] = nil }
      } == [8, 4, 2.5, true])
  }

  /// Where only a window tells a model from llama.cpp's, the context ends with it.
  @Test func aWindowThatCannotBeToldBoundsTheContext() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/model.gguf"
    for (switched, context) in [(true, 16), (false, 64)] {
      try writer("qwen3") {
        $0["sliding_window"] = 16
        $0["use_sliding_window"] = .boolean(switched)
      }.write(to: path)
      #expect(try openCheckpoint(path).config["max_position_embeddings"] == .integer(context))
    }
  }

  /// What a config.json leaves out is what transformers takes.
  @Test func absentKeysMeanWhatTransformersTakes() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/model.gguf"
    for (name, base) in [("qwen3", 10_000.0), ("mixtral", 1_000_000), ("gemma3", 1_000_000)] {
      try writer(name) { $0["rope_theta"] = nil }.write(to: path)
      #expect(try openCheckpoint(path).config["rope_theta"] == .number(base), "\(name)")
    }
    for (type, context) in [("mistral", 4096), ("llama", 8192)] {
      try writer("llama") {
        $0["model_type"] = .string(type)
        $0["sliding_window"] = nil
        $0["max_position_embeddings"] = 8192
      }.write(to: path)
      #expect(try openCheckpoint(path).config["max_position_embeddings"] == .integer(context), "\(type)")
    }
  }

  @Test func tokensAreFilledUpToTheEmbedding() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/model.gguf"
    var writer = try writer("llama")
    writer.tokenizer = [
      "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": ["a", "b"], "tokenizer.ggml.scores": [0.0, -1.0],
      "tokenizer.ggml.token_type": [1, 1], "tokenizer.ggml.bos_token_id": 0, "general.name": "not the tokenizer's",
    ]
    try writer.write(to: path)
    guard case .gguf(let metadata) = try openCheckpoint(path).tokenizer else { return }
    #expect(metadata["tokenizer.ggml.tokens"]?.array?.count == 40)
    #expect(metadata["tokenizer.ggml.tokens"]?.array?.last == "[PAD39]")
    #expect(metadata["tokenizer.ggml.token_type"]?.array?[39] == 5)
    #expect(metadata["tokenizer.ggml.scores"]?.array?.count == 40)
    #expect(metadata["general.name"] == nil && metadata["tokenizer.ggml.bos_token_id"] == 0)
    writer.tokenizer["tokenizer.ggml.tokens"] = .array((0..<41).map { .string("\($0)") })
    #expect(failure { try writer.write(to: path) }.contains("41 tokens, but the embedding only 40 rows"))
  }

  @Test func aFailureLeavesTheOldFileAlone() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/model.gguf"
    try writer("llama").write(to: path)
    let before = try readBytes(path)
    var failing = try writer("llama")
    let last = try #require(failing.tensors.last)
    failing.tensors[failing.tensors.count - 1] = OutgoingTensor(last.info) { _ throws(GRAOError) in
      throw GRAOError("no elements")
    }
    #expect(failure { try failing.write(to: path) } == "no elements")
    #expect(try readBytes(path) == before && directory.names() == ["model.gguf"])
    // Another one takes its place, through a link too.
    symlink("model.gguf", "\(directory.path)/link.gguf")
    try writer("qwen3").write(to: "\(directory.path)/link.gguf")
    #expect(try openCheckpoint(path).config["model_type"] == "qwen3")
    #expect(directory.names() == ["link.gguf", "model.gguf"])
    #expect(failure { try failing.write(to: directory.path) }.contains("found a directory"))
  }

  @Test func tensorsWithoutAPlaceAreNamed() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/model.gguf"
    var strange = try writer("llama")
    let extra = TensorInfo(name: "model.layers.0.extra.weight", shape: [1], elementType: .float32)
    strange.tensors.append(OutgoingTensor(extra) { room in room.initialize(repeating: 0) })
    #expect(failure { try strange.write(to: path) }.contains("\"model.layers.0.extra.weight\" has no place"))
    // Old rotary tables say nothing.
    let table = TensorInfo(name: "model.layers.0.self_attn.rotary_emb.inv_freq", shape: [1], elementType: .float32)
    strange.tensors[strange.tensors.count - 1] = OutgoingTensor(table) { room in room.initialize(repeating: 0) }
    #expect(throws: Never.self) { try strange.write(to: path) }
  }
}
