import Values

extension Tokenizer {
  /// The byte-level BPE tokenizer in a GGUF file's metadata (`tokenizer.ggml.*`), built as the tokenizer.json and
  /// tokenizer_config.json that the model was published with would have it.
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

  /// The values of "tokenizer.ggml.token_type" that make a token an added one.
  private enum TokenType {
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
    guard value("model")?.string == "gpt2" else {
      let model = value("model")?.string ?? "none"
      throw GRAOError("\(source): tokenizer.ggml.model '\(model)' is not supported (expected 'gpt2')")
    }
    let tokens = try strings("tokens")
    let pre = try preTokenizer()
    let types = value("token_type")?.array ?? []
    var added: [Value] = []
    for (id, token) in tokens.enumerated() where types.indices.contains(id) {
      let type = types[id].integer
      guard type == TokenType.control || type == TokenType.userDefined else { continue }
      added.append([
        "id": .integer(id), "content": .string(token), "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": .boolean(type == TokenType.control),
      ])
    }
    let byteLevel: Value = ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true]
    return [
      "version": "1.0", "truncation": nil, "padding": nil, "added_tokens": .array(added),
      "normalizer": pre.normalizer, "pre_tokenizer": pre.preTokenizer,
      "post_processor": try postProcessor(tokens, byDefault: pre.addsBeginning) ?? byteLevel, "decoder": byteLevel,
      "model": [
        "type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil, "end_of_word_suffix": nil,
        "fuse_unk": false, "byte_fallback": false, "ignore_merges": .boolean(pre.ignoresMerges),
        "vocab": .table(Table(tokens.enumerated().map { ($1, .integer($0)) })),
        "merges": .array(try strings("merges").map { .string($0) }),
      ],
    ]
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
    var before: [Value] = []
    var after: [Value] = []
    var specials = Table()
    func add(_ key: String, to pieces: inout [Value]) throws(GRAOError) {
      guard let (id, token) = try token(key, tokens) else { return }
      pieces.append(["SpecialToken": ["id": .string(token), "type_id": 0]])
      specials[token] = ["id": .string(token), "ids": [.integer(id)], "tokens": [.string(token)]]
    }
    if value("add_bos_token")?.boolean ?? addsBeginning { try add("bos_token_id", to: &before) }
    if value("add_eos_token")?.boolean ?? false { try add("eos_token_id", to: &after) }
    guard !specials.isEmpty else { return nil }
    let first: Value = ["Sequence": ["id": "A", "type_id": 0]]
    let second: Value = ["Sequence": ["id": "B", "type_id": 1]]
    return [
      "type": "TemplateProcessing", "single": .array(before + [first] + after),
      "pair": .array(before + [first] + after + before + [second] + after), "special_tokens": .table(specials),
    ]
  }

  private struct Pre {
    var normalizer: Value = nil
    var preTokenizer: Value
    var addsBeginning = false
    var ignoresMerges = false
  }

  /// What "tokenizer.ggml.pre" stands for: the stages before the model.
  private func preTokenizer() throws(GRAOError) -> Pre {
    func byteLevel(usesRegex: Bool) -> Value {
      ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": .boolean(usesRegex)]
    }
    func split(digits: String) -> Value {
      let pattern =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"# + digits
        + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
      return [
        "type": "Sequence",
        "pretokenizers": [
          ["type": "Split", "pattern": ["Regex": .string(pattern)], "behavior": "Isolated", "invert": false],
          byteLevel(usesRegex: false),
        ],
      ]
    }
    let name = value("pre")?.string ?? "default"
    switch name {
    case "default", "gpt-2": return Pre(preTokenizer: byteLevel(usesRegex: true))
    case "smollm":
      let digits: Value = ["type": "Digits", "individual_digits": true]
      return Pre(preTokenizer: ["type": "Sequence", "pretokenizers": [digits, byteLevel(usesRegex: true)]])
    case "llama-bpe": return Pre(preTokenizer: split(digits: "{1,3}"), addsBeginning: true, ignoresMerges: true)
    case "qwen2": return Pre(normalizer: ["type": "NFC"], preTokenizer: split(digits: ""))
    default:
      throw GRAOError(
        "\(source): tokenizer.ggml.pre '\(name)' is not supported "
          + "(expected 'default', 'gpt-2', 'smollm', 'llama-bpe' or 'qwen2')")
    }
  }
}
