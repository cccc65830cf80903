import Checkpoints
import Glibc
import Testing
import Values

/// Reading GGUF files that the `gguf` package wrote.
struct GGUFTests {
  @Test func everyTypeIsDecodedBitForBit() throws {
    let model = try openCheckpoint(fixture("llama.gguf"))
    #expect(model.tensors.count == 20)
    #expect(try model.bits() == readBits(fixture("llama.golden")))
  }

  @Test func tensorsHaveTheirHuggingFaceNamesAndShapes() throws {
    let tensors = try openCheckpoint(fixture("llama.gguf")).tensors
    func expect(_ name: String, _ shape: [Int], _ type: ElementType) {
      #expect(tensors[name] == TensorInfo(name: name, shape: shape, elementType: type))
    }
    expect("model.embed_tokens.weight", [40, 32], .quantized)
    expect("model.norm.weight", [32], .float32)
    expect("model.layers.1.input_layernorm.weight", [32], .float32)
    expect("model.layers.1.post_attention_layernorm.weight", [32], .float32)
    expect("model.layers.0.self_attn.q_proj.weight", [32, 32], .quantized)
    expect("model.layers.1.self_attn.q_proj.weight", [32, 32], .float32)
    expect("model.layers.0.self_attn.k_proj.weight", [16, 32], .quantized)
    expect("model.layers.1.self_attn.v_proj.weight", [16, 32], .float32)
    expect("model.layers.0.self_attn.o_proj.weight", [32, 32], .quantized)
    expect("model.layers.0.mlp.gate_proj.weight", [64, 32], .quantized)
    expect("model.layers.0.mlp.up_proj.weight", [64, 32], .float16)
    expect("model.layers.0.mlp.down_proj.weight", [32, 64], .bfloat16)
  }

  @Test func metadataBecomesAConfiguration() throws {
    let model = try openCheckpoint(fixture("llama.gguf"))
    #expect(
      try JSON.print(.table(model.config)) == """
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 32, "intermediate_size": 64, \
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128, \
        "rms_norm_eps": 1e-05, "rope_theta": 100000.0, "head_dim": 8, "bos_token_id": 1, "eos_token_id": 2, \
        "pad_token_id": 0, "tie_word_embeddings": true, "vocab_size": 40, "torch_dtype": "float32"}
        """)
    let generation = try #require(model.generationConfig)
    #expect(try JSON.print(.table(generation)) == #"{"bos_token_id": 1, "eos_token_id": [2, 3]}"#)
  }

  @Test func metadataOfEveryTypeReachesTheTokenizer() throws {
    guard case .gguf(let metadata) = try openCheckpoint(fixture("llama.gguf")).tokenizer else {
      Issue.record("no tokenizer")
      return
    }
    #expect(metadata["tokenizer.ggml.tokens"]?.array?.count == 40)
    #expect(metadata["tokenizer.ggml.tokens"]?.array?.last == "tök39")
    #expect(metadata["test.uint8"] == 200)
    #expect(metadata["test.int8"] == -100)
    #expect(metadata["test.uint16"] == 60000)
    #expect(metadata["test.int16"] == -30000)
    #expect(metadata["test.uint32"] == 4_000_000_000)
    #expect(metadata["test.int32"] == -2_000_000_000)
    #expect(metadata["test.uint64"] == 18_446_744_073_709_549_568.0)
    #expect(metadata["test.int64"] == -4_611_686_018_427_387_904)
    #expect(metadata["test.float32"] == .number(Double(Float(0.1))))
    #expect(metadata["test.float64"] == 0.1)
    #expect(metadata["test.bool"] == true)
    #expect(metadata["test.string"] == "naïve")
    #expect(metadata["test.arrays"] == [[1, 2], [3]])
  }

  @Test func expertsAreTakenApart() throws {
    let model = try openCheckpoint(fixture("qwen3moe.gguf"))
    let left = "model.layers.0.self_attn.o_proj.weight"
    #expect(try model.bits { $0.name != left } == readBits(fixture("qwen3moe.golden")))
    #expect(model.tensors["model.layers.0.mlp.experts.2.down_proj.weight"]?.shape == [32, 32])
    #expect(
      try JSON.print(.table(model.config)) == """
        {"architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "hidden_size": 32, \
        "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, \
        "max_position_embeddings": 64, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "head_dim": 256, \
        "num_experts": 3, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "norm_topk_prob": true, \
        "decoder_sparse_step": 1, "mlp_only_layers": [], "tie_word_embeddings": false, "vocab_size": 8, "torch_dtype": "float32"}
        """)
    #expect(model.generationConfig == nil)
    #expect(failure { _ = try model.elements(left) }.contains("\"blk.0.attn_output.weight\" has the type Q8_K"))
  }

  @Test func aFileCutOffAnywhereIsRefused() throws {
    let directory = try TemporaryDirectory()
    for name in ["llama.gguf", "qwen3moe.gguf"] {
      let path = "\(directory.path)/\(name)"
      let bytes = try readBytes(fixture(name))
      try writeBytes(bytes, path)
      for count in bytes.indices.reversed() {
        truncate(path, count)
        #expect(failure { _ = try openCheckpoint(path) }.hasPrefix(path))
      }
    }
  }

  @Test func noByteOfAHeaderCanDoHarm() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/damaged.gguf"
    let bytes = try readBytes(fixture("qwen3moe.gguf"))
    try writeBytes(bytes, path)
    let file = open(path, O_WRONLY)
    defer { close(file) }
    // The header of this file is less than 2,000 bytes long.
    for position in 0..<2000 {
      for var value in [0, 0x80, 0xFF, bytes[position] ^ 1] {
        pwrite(file, &value, 1, position)
        readEverything(path)
      }
      var original = bytes[position]
      pwrite(file, &original, 1, position)
    }
    #expect(throws: Never.self) { try openCheckpoint(path) }
  }

  /// A small file of our own, to be spoilt in one way at a time.
  private struct Builder {
    var magic = "GGUF"
    var version: UInt32 = 3
    var tensorCount: UInt64 = 1
    var keys: [(String, [UInt8])] = [
      ("general.architecture", string("llama")), ("llama.embedding_length", integer(4)),
      ("llama.feed_forward_length", integer(8)), ("llama.block_count", integer(1)),
      ("llama.attention.head_count", integer(1)), ("llama.context_length", integer(16)),
      ("llama.attention.layer_norm_rms_epsilon", [6, 0, 0, 0] + little(Float(1e-6).bitPattern)),
    ]
    var tensors: [(name: String, shape: [UInt64], type: UInt32, offset: UInt64)] = [("output_norm.weight", [4], 0, 0)]
    var dataCount = 16

    static func little(_ value: some FixedWidthInteger) -> [UInt8] {
      withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
    static func text(_ value: String) -> [UInt8] { little(UInt64(value.utf8.count)) + Array(value.utf8) }
    static func string(_ value: String) -> [UInt8] { [8, 0, 0, 0] + text(value) }
    static func integer(_ value: UInt32) -> [UInt8] { [4, 0, 0, 0] + little(value) }

    mutating func set(_ key: String, _ value: [UInt8]?) {
      keys.removeAll { $0.0 == key }
      if let value { keys.append((key, value)) }
    }

    var bytes: [UInt8] {
      var out = Array(magic.utf8) + Self.little(version) + Self.little(tensorCount) + Self.little(UInt64(keys.count))
      for (key, value) in keys { out += Self.text(key) + value }
      for tensor in tensors {
        out += Self.text(tensor.name) + Self.little(UInt32(tensor.shape.count))
        for size in tensor.shape { out += Self.little(size) }
        out += Self.little(tensor.type) + Self.little(tensor.offset)
      }
      out += [UInt8](repeating: 0, count: (32 - out.count % 32) % 32 + dataCount)
      return out
    }
  }

  private func message(_ spoil: (inout Builder) -> Void) throws -> String {
    let directory = try TemporaryDirectory()
    var builder = Builder()
    spoil(&builder)
    try writeBytes(builder.bytes, "\(directory.path)/small.gguf")
    return failure { _ = try openCheckpoint("\(directory.path)/small.gguf") }
  }

  @Test func theSmallFileIsWhole() throws {
    let directory = try TemporaryDirectory()
    for version: UInt32 in [2, 3] {
      var builder = Builder()
      builder.version = version
      try writeBytes(builder.bytes, "\(directory.path)/small")
      let model = try openCheckpoint("\(directory.path)/small")
      #expect(try model.elements("model.norm.weight") == [0, 0, 0, 0])
      #expect(model.config["rms_norm_eps"] == 1e-6)
      #expect(model.config["rope_theta"] == 10000)
      #expect(model.config["num_key_value_heads"] == 1)
    }
  }

  @Test func faultsOfTheFileAreNamed() throws {
    #expect(try message { $0.magic = "GGML" }.contains("not a GGUF file"))
    #expect(try message { $0.version = 1 }.contains("GGUF version 1; expected 2 or 3"))
    #expect(try message { $0.version = 0x0300_0000 }.contains("big-endian"))
    #expect(try message { $0.tensorCount = 1 << 40 }.contains("more than the file has room for"))
    #expect(try message { $0.keys.append($0.keys[0]) }.contains("\"general.architecture\" stands there twice"))
    #expect(try message { $0.set("x\0\n", [13, 0, 0, 0]) }.contains("a metadata key holds bytes that are no text"))
    #expect(try message { $0.set("x", [13, 0, 0, 0]) }.contains("metadata key \"x\" has an unknown type, 13"))
    #expect(try message { $0.set("x", [8, 0, 0, 0] + Builder.little(UInt64.max)) }.contains("metadata key \"x\""))
    let long = [9, 0, 0, 0, 8, 0, 0, 0] + Builder.little(UInt64(1) << 60)
    #expect(try message { $0.set("x", long) }.contains("length of the metadata key \"x\""))
    let nesting: [UInt8] = [9, 0, 0, 0] + Builder.little(UInt64(1))
    let deep = [9, 0, 0, 0] + Array(repeatElement(nesting, count: 9).joined())
    #expect(try message { $0.set("x", deep) }.contains("nests arrays too deep"))
    #expect(try message { $0.set("general.alignment", Builder.integer(24)) }.contains("expected a power of two"))
    #expect(try message { $0.set("general.alignment", Builder.integer(0)) }.contains("expected a power of two"))
  }

  @Test func aPipeIsNotWaitedFor() throws {
    let directory = try TemporaryDirectory()
    #expect(mkfifo("\(directory.path)/model.gguf", 0o600) == 0)
    #expect(failure { _ = try openCheckpoint("\(directory.path)/model.gguf") }.hasSuffix("model.gguf: expected a file"))
  }

  @Test func faultsOfTensorsAreNamed() throws {
    #expect(try message { $0.tensors[0].type = 4 }.contains("\"output_norm.weight\" has an unknown type, 4"))
    #expect(try message { $0.tensors[0].type = 8 }.contains("rows of 4 elements are not whole blocks of Q8_0"))
    #expect(try message { $0.tensors[0].shape = [] }.contains("has 0 dimensions"))
    #expect(try message { $0.tensors[0].shape = [UInt64.max] }.contains("has a dimension that is too large"))
    #expect(try message { $0.tensors[0].shape = [1 << 40, 1 << 40] }.contains("is too large"))
    #expect(try message { $0.tensors[0].shape = [5] }.contains("reaches beyond the end of the file"))
    #expect(try message { $0.tensors[0].offset = 16 }.contains("the offset 16 is not a multiple of 32"))
    #expect(try message { $0.tensors[0].offset = 32 }.contains("reaches beyond the end of the file"))
    #expect(try message { $0.tensors[0].offset = UInt64.max - 31 }.contains("reaches beyond the end of the file"))
    func second(_ name: String, _ shape: [UInt64] = [4], offset: UInt64 = 32) throws -> String {
      try message {
        $0.tensors.append((name, shape, 0, offset))
        $0.tensorCount = 2
        $0.dataCount = 1024
      }
    }
    #expect(try second("output\n.weight").contains("the name of a tensor holds bytes that are no text"))
    #expect(try second("output_norm.weight").contains("stands there twice"))
    #expect(try second("output.weight", offset: 0).contains("overlaps"))
    #expect(try second("rope_freqs.bias").contains("\"rope_freqs.bias\" has no place in the architecture llama"))
    #expect(try second("blk.0.attn_q_norm.weight").contains("has no place in the architecture llama"))
    #expect(try second("blk.0.ffn_up.7.weight").contains("has no place in the architecture llama"))
    #expect(try second("rope_freqs.weight").contains("not the factors of Llama 3's scaling"))
    #expect(try second("blk.1.attn_q.weight", [4, 4]).contains("is beyond the last layer"))
    #expect(try second("blk.0.attn_q.weight", [4, 3]).contains("does not fit num_attention_heads"))
  }

  /// Tensors as files have them that are older than the experts' stacks or made with them joined, or older than the
  /// attention over latent vectors.
  @Test func otherWaysToCutTensorsAreRead() throws {
    func tensors(_ architecture: String, _ integers: [String: UInt32], _ name: String, _ shape: [UInt64]) throws
      -> [String: [Int]]
    {
      let directory = try TemporaryDirectory()
      var builder = Builder()
      builder.keys = builder.keys.map { ($0.0.replacing("llama.", with: "\(architecture)."), $0.1) }
      builder.set("general.architecture", Builder.string(architecture))
      for (key, value) in integers { builder.set("\(architecture).\(key)", Builder.integer(value)) }
      builder.tensors.append((name, shape, 0, 32))
      builder.tensorCount = 2
      builder.dataCount = 4096
      try writeBytes(builder.bytes, "\(directory.path)/small.gguf")
      let model = try openCheckpoint("\(directory.path)/small.gguf")
      for name in model.tensors.keys { _ = try model.elements(name) }
      return model.tensors.filter { $0.key != "model.norm.weight" }.mapValues(\.shape)
    }
    let experts: [String: UInt32] = ["expert_count": 2, "expert_used_count": 1]
    #expect(
      try tensors("llama", experts, "blk.0.ffn_up.1.weight", [4, 8])
        == ["model.layers.0.block_sparse_moe.experts.1.w3.weight": [8, 4]])
    #expect(throws: GRAOError.self) { try tensors("llama", experts, "blk.0.ffn_up.2.weight", [4, 8]) }
    let joined = try tensors(
      "qwen3moe", experts.merging(["expert_feed_forward_length": 6]) { $1 }, "blk.0.ffn_gate_up_exps.weight",
      [4, 12, 2])
    #expect(joined.count == 4 && joined["model.layers.0.mlp.experts.1.gate_proj.weight"] == [6, 4])
    let latent: [String: UInt32] = [
      "expert_shared_count": 1, "expert_feed_forward_length": 4, "attention.kv_lora_rank": 4, "rope.dimension_count": 2,
      "attention.key_length": 6, "attention.value_length": 4,
    ]
    #expect(
      try tensors("deepseek2", experts.merging(latent) { $1 }, "blk.0.attn_kv_b.weight", [4, 8])
        == ["model.layers.0.self_attn.kv_b_proj.weight": [8, 4]])
  }

  @Test func faultsOfTheMetadataAreNamed() throws {
    #expect(try message { $0.set("general.architecture", nil) }.contains("\"general.architecture\" is missing"))
    let other = try message { $0.set("general.architecture", Builder.string("mamba")) }
    #expect(other.contains("the architecture \"mamba\" is not supported; expected one of deepseek2, gemma, gemma2"))
    #expect(try message { $0.set("llama.block_count", nil) }.contains("\"llama.block_count\" is missing"))
    #expect(try message { $0.set("llama.block_count", Builder.integer(0)) }.contains("expected a positive integer"))
    #expect(
      try message { $0.set("llama.embedding_length", Builder.string("4")) }.contains("expected a positive integer"))
    #expect(try message { $0.set("llama.attention.head_count", Builder.integer(3)) }.contains("key_length"))
    #expect(
      try message { $0.set("llama.rope.dimension_count", Builder.integer(2)) }.contains(
        "expected the size of a head, 4"))
    #expect(
      try message { $0.set("llama.rope.scaling.type", Builder.string("spiral")) }.contains(
        "is \"spiral\", which is not supported"))
    #expect(
      try message { $0.set("llama.rope.scaling.type", Builder.string("yarn")) }.contains("scaling.factor\" is missing"))
    #expect(try message { $0.set("split.count", [2, 0, 0, 0, 3, 0]) }.contains("one of 3 parts"))
  }
}
