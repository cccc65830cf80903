import Values

extension Tokenizer {
  /// The tokenizer in a GGUF file's metadata (`tokenizer.ggml.*`), built as the tokenizer.json and tokenizer_config.json
  /// that the model was published with would have it: byte-level BPE ("gpt2"), SentencePiece's BPE ("llama"), Gemma 4's
  /// ("gemma4") or WordPiece ("bert"). Any other kind is an error that names it.
  /// - Parameters:
  ///   - chatTemplate: a Jinja source in place of the file's chat template.
  ///   - source: the file, for messages.
  public convenience init(
    ggufMetadata metadata: Table, chatTemplate: String? = nil, source: String
  ) throws(GRAOError) {
    let gguf = GGUFVocabulary(metadata: metadata, source: source)
    var config = try gguf.config()
    if let chatTemplate { config["chat_template"] = .string(chatTemplate) }
    try self.init(json: try gguf.tokenizer(), config: config, source: source)
  }
}

/// What llama.cpp's converter wrote of a tokenizer.
private struct GGUFVocabulary {
  let metadata: Table
  let source: String

  /// Values of "tokenizer.ggml.token_type".
  private enum TokenType {
    static let normal = 1
    static let unknown = 2
    static let control = 3
    static let userDefined = 4
  }

  private static let specialNames = [
    ("bos_token", "bos_token_id"), ("eos_token", "eos_token_id"), ("unk_token", "unknown_token_id"),
    ("pad_token", "padding_token_id"),
  ]

  private func value(_ key: String) -> Value? { metadata["tokenizer.ggml.\(key)"] }

  private func strings(_ key: String) throws(GRAOError) -> [String] {
    guard let array = value(key)?.array else {
      throw GRAOError("\(source): tokenizer.ggml.\(key): expected an array of strings")
    }
    let strings = array.compactMap(\.string)
    guard strings.count == array.count else {
      throw GRAOError("\(source): tokenizer.ggml.\(key): expected an array of strings")
    }
    return strings
  }

  /// The token whose id `key` holds, or nil without `key`.
  private func token(_ key: String, _ tokens: [String]) throws(GRAOError) -> (id: Int, token: String)? {
    guard let value = value(key) else { return nil }
    guard let id = value.integer, tokens.indices.contains(id) else {
      throw GRAOError("\(source): tokenizer.ggml.\(key): expected a token id below \(tokens.count)")
    }
    return (id, tokens[id])
  }

  func tokenizer() throws(GRAOError) -> Value {
    let tokens = try strings("tokens")
    switch value("model")?.string {
    case "gpt2": return try byteLevel(tokens)
    case "llama": return try sentencePiece(tokens)
    case "gemma4": return try gemma(tokens)
    case "bert": return try wordPiece(tokens)
    case let model:
      throw GRAOError(
        "\(source): tokenizer.ggml.model '\(model ?? "none")' is not supported (expected 'gpt2', 'llama', 'gemma4' or "
          + "'bert')")
    }
  }

  /// The tokens of these types, as tokenizer.json's "added_tokens".
  private func addedTokens(_ tokens: [String], _ wanted: [Int]) -> Value {
    let types = value("token_type")?.array ?? []
    var added: [Value] = []
    for (id, token) in tokens.enumerated() where types.indices.contains(id) {
      guard let type = types[id].integer, wanted.contains(type) else { continue }
      added.append([
        "id": .integer(id), "content": .string(token), "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": .boolean(type != TokenType.userDefined),
      ])
    }
    return .array(added)
  }

  private func vocabulary(_ tokens: [String]) -> Value {
    .table(Table(tokens.enumerated().map { ($1, .integer($0)) }))
  }

  private func byteLevel(_ tokens: [String]) throws(GRAOError) -> Value {
    let pre = try GGUFPreTokenizer(value("pre")?.string ?? "default", source: source)
    let added = addedTokens(tokens, [TokenType.control, TokenType.userDefined])
    let byteLevel: Value = ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true]
    return [
      "version": "1.0", "truncation": nil, "padding": nil, "added_tokens": added,
      "normalizer": pre.normalizer, "pre_tokenizer": pre.preTokenizer,
      "post_processor": try postProcessor(tokens, byDefault: pre.addsBeginning) ?? byteLevel, "decoder": byteLevel,
      "model": [
        "type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil, "end_of_word_suffix": nil,
        "fuse_unk": false, "byte_fallback": false, "ignore_merges": .boolean(pre.ignoresMerges),
        "vocab": vocabulary(tokens),
        "merges": .array(try strings("merges").map { .string($0) }),
      ],
    ]
  }

  /// SentencePiece's BPE, as transformers' converter writes it: two tokens merge in the order of what they make, the
  /// best score first.
  private func sentencePiece(_ tokens: [String]) throws(GRAOError) -> Value {
    let addsSpace = value("add_space_prefix")?.boolean ?? true
    let mark = "\u{2581}"
    let spaces: Value = ["type": "Replace", "pattern": ["String": " "], "content": .string(mark)]
    let prefix: Value = ["type": "Prepend", "prepend": .string(mark)]
    let strip: Value = ["type": "Strip", "content": " ", "start": 1, "stop": 0]
    let decoders = Self.fallbackDecoders + (addsSpace ? [strip] : [])
    return [
      "version": "1.0", "truncation": nil, "padding": nil,
      "added_tokens": addedTokens(tokens, [TokenType.unknown, TokenType.control, TokenType.userDefined]),
      "normalizer": ["type": "Sequence", "normalizers": .array(addsSpace ? [prefix, spaces] : [spaces])],
      "pre_tokenizer": nil, "post_processor": try postProcessor(tokens, byDefault: true) ?? nil,
      "decoder": ["type": "Sequence", "decoders": .array(decoders)],
      "model": try fallingBack(tokens, merges: try merges(tokens)),
    ]
  }

  /// BPE that spells what it does not know in bytes.
  private func fallingBack(_ tokens: [String], merges: [Value]) throws(GRAOError) -> Value {
    [
      "type": "BPE", "dropout": nil, "unk_token": .string(try token("unknown_token_id", tokens)?.token ?? "<unk>"),
      "continuing_subword_prefix": nil, "end_of_word_suffix": nil, "fuse_unk": true, "byte_fallback": true,
      "ignore_merges": false, "vocab": vocabulary(tokens), "merges": .array(merges),
    ]
  }

  private static var fallbackDecoders: [Value] {
    [
      ["type": "Replace", "pattern": ["String": "\u{2581}"], "content": " "], ["type": "ByteFallback"],
      ["type": "Fuse"],
    ]
  }

  /// Gemma 4's: SentencePiece-style with merges of its own, and no space before a text.
  private func gemma(_ tokens: [String]) throws(GRAOError) -> Value {
    let added = addedTokens(tokens, [TokenType.unknown, TokenType.control, TokenType.userDefined])
    return [
      "version": "1.0", "truncation": nil, "padding": nil, "added_tokens": added,
      "normalizer": ["type": "Replace", "pattern": ["String": " "], "content": "\u{2581}"],
      "pre_tokenizer": nil, "post_processor": try postProcessor(tokens, byDefault: true) ?? nil,
      "decoder": ["type": "Sequence", "decoders": .array(Self.fallbackDecoders)],
      "model": try fallingBack(tokens, merges: try strings("merges").map { .string($0) }),
    ]
  }

  /// BERT's, without case and accents, as llama.cpp has it; the converter marks the words' starts instead of their
  /// continuations.
  private func wordPiece(_ tokens: [String]) throws(GRAOError) -> Value {
    let types = value("token_type")?.array ?? []
    let words = tokens.enumerated().map { id, token in
      if types.indices.contains(id), types[id].integer == TokenType.control { return token }
      // By scalars: a combining mark after it is no other character.
      return token.unicodeScalars.first == "\u{2581}" ? String(token.unicodeScalars.dropFirst()) : "##" + token
    }
    let around = try postProcessor(
      tokens, before: value("cls_token_id") == nil ? "bos_token_id" : "cls_token_id",
      after: value("seperator_token_id") == nil ? "eos_token_id" : "seperator_token_id")
    return [
      "version": "1.0", "truncation": nil, "padding": nil, "added_tokens": addedTokens(tokens, [TokenType.control]),
      "normalizer": [
        "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": nil,
        "lowercase": true,
      ],
      "pre_tokenizer": ["type": "BertPreTokenizer"], "post_processor": around ?? nil,
      "decoder": ["type": "WordPiece", "prefix": "##", "cleanup": true],
      "model": [
        "type": "WordPiece", "unk_token": .string(try token("unknown_token_id", tokens)?.token ?? "[UNK]"),
        "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocabulary(words),
      ],
    ]
  }

  private func merges(_ tokens: [String]) throws(GRAOError) -> [Value] {
    let scores = value("scores")?.array?.compactMap(\.number) ?? []
    guard scores.count == tokens.count else {
      throw GRAOError("\(source): tokenizer.ggml.scores: expected \(tokens.count) numbers")
    }
    let types = value("token_type")?.array ?? []
    let vocabulary = try Vocabulary(tokens, path: "\(source): tokenizer.ggml.tokens")
    var pairs: [(score: Double, left: Int32, right: Int32)] = []
    for (id, token) in tokens.enumerated() {
      if types.indices.contains(id), types[id].integer != TokenType.normal { continue }
      let utf8 = Array(token.utf8)
      utf8.withUnsafeBufferPointer { utf8 in
        // Only whole characters are tokens, so that other cuts find nothing.
        for cut in utf8.indices.dropFirst() {
          if let left = vocabulary.id(of: UnsafeBufferPointer(rebasing: utf8[..<cut])),
            let right = vocabulary.id(of: UnsafeBufferPointer(rebasing: utf8[cut...]))
          {
            pairs.append((scores[id], left, right))
          }
        }
      }
    }
    pairs.sort { ($1.score, $0.left, $0.right) < ($0.score, $1.left, $1.right) }
    return pairs.map { [.string(tokens[Int($0.left)]), .string(tokens[Int($0.right)])] }
  }

  func config() throws(GRAOError) -> Table {
    let tokens = try strings("tokens")
    var config = Table([("tokenizer_class", "PreTrainedTokenizerFast"), ("clean_up_tokenization_spaces", false)])
    for (name, key) in Self.specialNames {
      if let token = try token(key, tokens)?.token { config[name] = .string(token) }
    }
    config["chat_template"] = chatTemplate
    return config
  }

  /// The template, and those with names of their own: "tokenizer.chat_template.NAME".
  private var chatTemplate: Value? {
    let key = "tokenizer.chat_template"
    var named: [Value] = []
    for name in metadata.keys where name.hasPrefix(key + ".") {
      named.append(["name": .string(String(name.dropFirst(key.count + 1))), "template": metadata[name] ?? .null])
    }
    guard let template = metadata[key], !named.isEmpty else { return named.isEmpty ? metadata[key] : .array(named) }
    return .array([["name": "default", "template": template]] + named)
  }

  /// The special tokens around a text, or nil where there are none.
  private func postProcessor(_ tokens: [String], byDefault addsBeginning: Bool) throws(GRAOError) -> Value? {
    let isBegun = value("add_bos_token")?.boolean ?? addsBeginning
    let isEnded = value("add_eos_token")?.boolean ?? false
    return try postProcessor(
      tokens, before: isBegun ? "bos_token_id" : nil, after: isEnded ? "eos_token_id" : nil)
  }

  /// The tokens whose ids these keys hold, around a text.
  private func postProcessor(_ tokens: [String], before first: String?, after last: String?) throws(GRAOError) -> Value?
  {
    var before: [Value] = []
    var after: [Value] = []
    var specials = Table()
    func add(_ key: String, to pieces: inout [Value]) throws(GRAOError) {
      guard let (id, token) = try token(key, tokens) else { return }
      pieces.append(["SpecialToken": ["id": .string(token), "type_id": 0]])
      specials[token] = ["id": .string(token), "ids": [.integer(id)], "tokens": [.string(token)]]
    }
    if let first { try add(first, to: &before) }
    if let last { try add(last, to: &after) }
    guard !specials.isEmpty else { return nil }
    let first: Value = ["Sequence": ["id": "A", "type_id": 0]]
    let second: Value = ["Sequence": ["id": "B", "type_id": 1]]
    return [
      "type": "TemplateProcessing", "single": .array(before + [first] + after),
      "pair": .array(before + [first] + after + before + [second] + after), "special_tokens": .table(specials),
    ]
  }
}
