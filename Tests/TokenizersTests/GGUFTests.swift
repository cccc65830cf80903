import Testing
import Values

@testable import Tokenizers

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
    var answers = try #require(patterns["ids"]?.table)
    for (name, other) in try #require(patterns["same"]?.table) { answers[name] = answers[try #require(other.string)] }
    #expect(answers.count == 19 && texts.count > 50)
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

  /// Of names for the same stages, what the family has besides: the token before a text, and words taken whole.
  @Test(arguments: ["llama3": "llama3", "pixtral": "llama3", "deepseek-r1-qwen": "qwen2", "refact": "smollm"])
  func namesOfTheSameFamily(_ name: String, _ style: String) throws {
    var table = try metadata(style)
    table["tokenizer.ggml.pre"] = .string(name)
    try Fixtures.goldens(style).check(Tokenizer(ggufMetadata: table, source: "test.gguf"), name)
  }

  /// A published tokenizer.json's stages are those that its name in llama.cpp stands for.
  @Test(arguments: [
    "smollm2": "smollm", "llama-bpe": "llama-bpe", "qwen2": "qwen2", "qwen35": "qwen35", "gpt-2": "gpt-2",
    "falcon": "falcon", "command-r": "command-r", "deepseek-llm": "deepseek-llm", "deepseek-coder": "deepseek-coder",
    "deepseek": "deepseek-v3", "starcoder": "smollm", "mpt": "olmo", "tekken-240911": "tekken",
  ]) func namesOfPublishedStages(_ vocabulary: String, _ name: String) throws {
    let json = try RealGoldens(vocabulary).tokenizer
    let found = try GGUFPreTokenizer.name(
      normalizer: json["normalizer"], preTokenizer: json["pre_tokenizer"],
      ignoresMerges: json["model"]?["ignore_merges"]?.boolean ?? false)
    #expect(found == name)
  }

  /// The converter marks the starts of words where the vocabulary marks what continues them.
  @Test func wordPiece() throws {
    let json = try Fixtures.json("\(Fixtures.folder)/word-piece/tokenizer.json")
    let tokens = try #require(json["model"]?["vocab"]?.table).sorted {
      ($0.value.integer ?? 0) < ($1.value.integer ?? 0)
    }
    .map(\.key)
    let types = tokens.map { $0.hasPrefix("[") && $0.hasSuffix("]") && $0.count > 2 ? 3 : 1 }
    let written = zip(tokens, types).map { token, type -> Value in
      if type == 3 { return .string(token) }
      let scalars = token.unicodeScalars
      return .string(scalars.starts(with: "##".unicodeScalars) ? String(scalars.dropFirst(2)) : "\u{2581}" + token)
    }
    var table = Table([
      ("tokenizer.ggml.model", "bert"), ("tokenizer.ggml.tokens", .array(written)),
      ("tokenizer.ggml.token_type", .array(types.map { .integer($0) })), ("tokenizer.ggml.unknown_token_id", 1),
      ("tokenizer.ggml.cls_token_id", 2), ("tokenizer.ggml.seperator_token_id", 3),
    ])
    let goldens = try Fixtures.goldens("word-piece")
    try goldens.check(Tokenizer(ggufMetadata: table, source: "test.gguf"), "word-piece")
    for (old, new) in [("cls", "bos"), ("seperator", "eos")] {
      table["tokenizer.ggml.\(new)_token_id"] = table["tokenizer.ggml.\(old)_token_id"]
      table["tokenizer.ggml.\(old)_token_id"] = nil
    }
    try goldens.check(Tokenizer(ggufMetadata: table, source: "test.gguf"), "word-piece")
  }

  /// SentencePiece-style BPE that has its merges: Gemma's.
  @Test func gemma() throws {
    let path = "\(Fixtures.folder)/spm-bpe/tokenizer.json"
    var json = try #require(Fixtures.json(path).table)
    json["normalizer"] = ["type": "Replace", "pattern": ["String": " "], "content": "\u{2581}"]
    json["pre_tokenizer"] = [
      "type": "Split", "pattern": ["String": " "], "behavior": "MergedWithPrevious", "invert": false,
    ]
    let decoders = try #require(json["decoder"]?["decoders"]?.array)
    json["decoder"] = ["type": "Sequence", "decoders": .array(decoders.dropLast())]
    let published = try Tokenizer(json: .table(json), config: nil, source: path)
    let vocabulary = try #require(json["model"]?["vocab"]?.table)
    var tokens = vocabulary.map { (id: $0.value.integer ?? 0, token: $0.key) }
    tokens.append((tokens.count, "<think>"))
    tokens.sort { $0.id < $1.id }
    let types: [Value] = tokens.map { $0.id == 0 ? 2 : $0.id < 3 ? 3 : $0.token == "<think>" ? 4 : 1 }
    let merges: [Value] = try #require(json["model"]?["merges"]?.array).map { pair in
      .string((pair.array ?? []).compactMap(\.string).joined(separator: " "))
    }
    let table = Table([
      ("tokenizer.ggml.model", "gemma4"), ("tokenizer.ggml.tokens", .array(tokens.map { .string($0.token) })),
      ("tokenizer.ggml.token_type", .array(types)), ("tokenizer.ggml.merges", .array(merges)),
      ("tokenizer.ggml.bos_token_id", 1), ("tokenizer.ggml.unknown_token_id", 0),
    ])
    let tokenizer = try Tokenizer(ggufMetadata: table, source: "test.gguf")
    for golden in try Fixtures.goldens("spm-bpe").encoded {
      let ids = try tokenizer.encode(golden.text)
      #expect(try ids == published.encode(golden.text), "\(golden.text.debugDescription)")
      #expect(tokenizer.decode(ids) == published.decode(ids))
    }
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
    for kind in ["t5", "rwkv", "plamo2", "none"] {
      #expect(
        try message("model", kind == "none" ? nil : .string(kind))
          == "m.gguf: tokenizer.ggml.model '\(kind)' is not supported (expected 'gpt2', 'llama', 'gemma4' or 'bert')")
    }
    #expect(try message("model", "llama").hasPrefix("m.gguf: tokenizer.ggml.scores: expected"))
    #expect(try message("pre", "morse").hasPrefix("m.gguf: tokenizer.ggml.pre 'morse' is not supported"))
    #expect(try message("tokens", nil) == "m.gguf: tokenizer.ggml.tokens: expected an array of strings")
    #expect(try message("merges", [1]) == "m.gguf: tokenizer.ggml.merges: expected an array of strings")
    #expect(
      try message("eos_token_id", 1_000_000).hasPrefix("m.gguf: tokenizer.ggml.eos_token_id: expected a token id"))
  }
}
