import Testing
import Tokenizers
import Values

/// Tokenizers from a GGUF file's metadata, made here of what the golden tokenizers hold.
@Suite struct GGUFTests {
  private static let names = ["gpt2": "gpt-2", "smollm": "smollm", "qwen2": "qwen2", "llama3": "llama-bpe"]

  private func metadata(_ style: String) throws -> Table {
    let json = try Fixtures.json("\(Fixtures.folder)/\(style)/tokenizer.json")
    let vocabulary = try #require(json["model"]?["vocab"]?.table)
    var tokens = vocabulary.map { (id: $0.value.integer ?? 0, token: $0.key) }
    var types = [Int: Int]()
    for added in try #require(json["added_tokens"]?.array) {
      let id = try #require(added["id"]?.integer)
      if !tokens.contains(where: { $0.id == id }) { tokens.append((id, try #require(added["content"]?.string))) }
      types[id] = added["special"]?.boolean == true ? 3 : 4
    }
    tokens.sort { $0.id < $1.id }
    let merges: [Value] = try #require(json["model"]?["merges"]?.array).map { pair in
      .string((pair.array ?? []).compactMap(\.string).joined(separator: " "))
    }
    func id(_ token: String) -> Value { .integer(tokens.first { $0.token == token }?.id ?? -1) }
    return Table([
      ("tokenizer.ggml.model", "gpt2"), ("tokenizer.ggml.pre", .string(try #require(Self.names[style]))),
      ("tokenizer.ggml.tokens", .array(tokens.map { .string($0.token) })),
      ("tokenizer.ggml.token_type", .array(tokens.map { .integer(types[$0.id] ?? 1) })),
      ("tokenizer.ggml.merges", .array(merges)), ("tokenizer.ggml.bos_token_id", id("<|im_start|>")),
      ("tokenizer.ggml.eos_token_id", id("<|im_end|>")), ("tokenizer.ggml.padding_token_id", id("<|endoftext|>")),
      ("tokenizer.chat_template", "{{ messages[0] }}"),
    ])
  }

  @Test(arguments: Fixtures.byteLevelStyles) func goldens(style: String) throws {
    let tokenizer = try Tokenizer(ggufMetadata: metadata(style), source: "test.gguf")
    try Fixtures.goldens(style).check(tokenizer, style)
    #expect(tokenizer.eosTokenID == tokenizer.id(of: "<|im_end|>") && tokenizer.eosTokenID != nil)
    #expect(tokenizer.bosTokenID == tokenizer.id(of: "<|im_start|>") && tokenizer.bosTokenID != nil)
    #expect(tokenizer.chatTemplate == "{{ messages[0] }}")
    let files = Dictionary(uniqueKeysWithValues: tokenizer.files().map { ($0.name, $0.bytes) })
    let config = try JSON.parse(#require(files["tokenizer_config.json"]), source: "config")
    #expect(config["tokenizer_class"] == "PreTrainedTokenizerFast")
    #expect(config["pad_token"] == "<|endoftext|>")
    let json = try JSON.parse(#require(files["tokenizer.json"]), source: "json")
    try Fixtures.goldens(style).check(Tokenizer(json: json, config: config.table, source: "saved"), "saved \(style)")
  }

  /// What a GGUF file only names: the pre-tokenizers of families that have no golden tokenizer.
  @Test func namedPreTokenizers() throws {
    let patterns = try Fixtures.json("\(Fixtures.folder)/patterns.json")
    let texts = try #require(patterns["texts"]?.array).map { try #require($0.string) }
    let answers = try #require(patterns["ids"]?.table)
    #expect(answers.count == 9 && texts.count > 50)
    for (name, ids) in answers {
      var table = try metadata("gpt2")
      table["tokenizer.ggml.pre"] = .string(name)
      table["tokenizer.ggml.add_bos_token"] = false
      let tokenizer = try Tokenizer(ggufMetadata: table, source: "test.gguf")
      for (text, ids) in zip(texts, try #require(ids.array)) {
        let ids = try #require(ids.array).map { Int32(try #require($0.integer)) }
        #expect(try tokenizer.encode(text) == ids, "\(name): \(text.debugDescription)")
      }
    }
  }

  /// SentencePiece's scores stand for the merges.
  @Test func sentencePiece() throws {
    let json = try Fixtures.json("\(Fixtures.folder)/spm-bpe/tokenizer.json")
    let vocabulary = try #require(json["model"]?["vocab"]?.table)
    var tokens = vocabulary.map { (id: $0.value.integer ?? 0, token: $0.key) }
    for added in try #require(json["added_tokens"]?.array) where vocabulary[added["content"]?.string ?? ""] == nil {
      tokens.append((try #require(added["id"]?.integer), try #require(added["content"]?.string)))
    }
    tokens.sort { $0.id < $1.id }
    // The trainer numbers its pieces by falling score.
    let types = tokens.map { token -> Value in
      switch token.token {
      case "<unk>": 2
      case "<s>", "</s>": 3
      case "<think>": 4
      case _ where token.token.hasPrefix("<0x"): 6
      default: 1
      }
    }
    let table = Table([
      ("tokenizer.ggml.model", "llama"), ("tokenizer.ggml.tokens", .array(tokens.map { .string($0.token) })),
      ("tokenizer.ggml.scores", .array(tokens.map { .number(-Double($0.id)) })),
      ("tokenizer.ggml.token_type", .array(types)), ("tokenizer.ggml.bos_token_id", 1),
      ("tokenizer.ggml.eos_token_id", 2), ("tokenizer.ggml.unknown_token_id", 0),
    ])
    try Fixtures.goldens("spm-bpe").check(Tokenizer(ggufMetadata: table, source: "test.gguf"), "spm-bpe")
  }

  /// llama.cpp has these names for the same stages; Granite's files have the first.
  @Test(arguments: ["refact", "starcoder"]) func namesOfTheSameStages(_ name: String) throws {
    var table = try metadata("smollm")
    table["tokenizer.ggml.pre"] = .string(name)
    try Fixtures.goldens("smollm").check(Tokenizer(ggufMetadata: table, source: "test.gguf"), name)
  }

  @Test func specialTokensAround() throws {
    var table = try metadata("smollm")
    table["tokenizer.ggml.add_bos_token"] = true
    table["tokenizer.ggml.add_eos_token"] = true
    var tokenizer = try Tokenizer(ggufMetadata: table, source: "test.gguf")
    #expect(try tokenizer.encode("") == [tokenizer.bosTokenID, tokenizer.eosTokenID].compactMap(\.self))
    table = try metadata("llama3")
    table["tokenizer.ggml.add_bos_token"] = false
    tokenizer = try Tokenizer(ggufMetadata: table, source: "test.gguf")
    #expect(try tokenizer.encode("") == [])
  }

  @Test func refusals() throws {
    func message(_ key: String, _ value: Value?) throws -> String {
      var table = try metadata("gpt2")
      table["tokenizer.ggml.\(key)"] = value
      do {
        _ = try Tokenizer(ggufMetadata: table, source: "m.gguf")
        return "none"
      } catch { return "\(error)" }
    }
    #expect(try message("pre", nil) == "none")
    #expect(try message("model", "t5").hasPrefix("m.gguf: tokenizer.ggml.model 't5' is not supported"))
    #expect(try message("model", "llama").hasPrefix("m.gguf: tokenizer.ggml.scores: expected"))
    #expect(try message("pre", "morse").hasPrefix("m.gguf: tokenizer.ggml.pre 'morse' is not supported"))
    #expect(try message("tokens", nil) == "m.gguf: tokenizer.ggml.tokens: expected an array of strings")
    #expect(try message("merges", [1]) == "m.gguf: tokenizer.ggml.merges: expected an array of strings")
    #expect(
      try message("eos_token_id", 1_000_000).hasPrefix("m.gguf: tokenizer.ggml.eos_token_id: expected a token id"))
  }
}
