import Values

extension Tokenizer {
  /// The metadata keys `tokenizer.…` by which llama.cpp has this tokenizer: of the kinds "gpt2" (byte-level BPE) and
  /// "llama" (SentencePiece's BPE). A tokenizer that llama.cpp does not have is an error that says why.
  /// - Parameter stops: the ids at which sampling stops, from generation_config.json, beside eos_token.
  public func ggufMetadata(stops: [Int] = []) throws(GRAOError) -> Table {
    var json: Table?
    var config = Table()
    for (name, bytes) in files() {
      if name == "tokenizer.json" { json = try JSON.parse(bytes, source: name).table }
      if name == "tokenizer_config.json" { config = try JSON.parse(bytes, source: name).table ?? config }
    }
    guard let json else { throw GRAOError("a tokenizer without tokenizer.json cannot be written to a GGUF file") }
    var metadata = try GGUFVocabularyWriting(json: json).metadata()
    try addSpecialTokens(to: &metadata, stops: stops)
    if let template = chatTemplate { metadata["tokenizer.chat_template"] = .string(template) }
    for element in config["chat_template"]?.array ?? [] {
      guard let name = element["name"]?.string, name != "default", let template = element["template"] else { continue }
      metadata["tokenizer.chat_template.\(name)"] = template
    }
    return metadata
  }

  private func addSpecialTokens(to metadata: inout Table, stops: [Int]) throws(GRAOError) {
    let keys = ["bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"]
    let tokens = (metadata["tokenizer.ggml.tokens"]?.array ?? []).map(\.string)
    for (name, content) in specialTokens {
      guard let key = keys[name], let id = tokens.firstIndex(of: content) else { continue }
      metadata["tokenizer.ggml.\(key)_token_id"] = .integer(id)
    }
    let further = stops.filter { $0 != eosTokenID.map(Int.init) && tokens.indices.contains($0) }
    for (key, id) in zip(["eot", "eom"], further) { metadata["tokenizer.ggml.\(key)_token_id"] = .integer(id) }
    try addSurroundings(to: &metadata)
  }

  /// The special tokens around a text: the beginning's and the end's, where no other is told.
  private func addSurroundings(to metadata: inout Table) throws(GRAOError) {
    let (plain, whole) = (try encode("a", addSpecialTokens: false), try encode("a"))
    let isBefore = whole.first != plain.first
    let around = [("bos", isBefore ? whole.first : nil), ("eos", whole.last != plain.last ? whole.last : nil)]
    guard whole == [around[0].1].compactMap(\.self) + plain + [around[1].1].compactMap(\.self) else {
      throw GRAOError("the tokenizer puts more around a text than llama.cpp does: one token before, one after")
    }
    for (name, id) in around {
      metadata["tokenizer.ggml.add_\(name)_token"] = .boolean(id != nil)
      guard let id else { continue }
      let key = "tokenizer.ggml.\(name)_token_id"
      guard metadata[key] == nil || metadata[key] == .integer(Int(id)) else {
        throw GRAOError(
          "the tokenizer puts token \(id) around a text, which is not its \(name)_token, as llama.cpp wants")
      }
      metadata[key] = .integer(Int(id))
    }
  }
}

/// A tokenizer.json's vocabulary in llama.cpp's terms.
private struct GGUFVocabularyWriting {
  let json: Table

  /// Values of "tokenizer.ggml.token_type".
  private enum TokenType {
    static let normal = 1
    static let unknown = 2
    static let control = 3
    static let userDefined = 4
    static let unused = 5
    static let byte = 6
  }

  func metadata() throws(GRAOError) -> Table {
    guard let model = json["model"]?.table, (model["type"] ?? "BPE") == "BPE" else {
      let type = json["model"]?["type"]?.string ?? "unknown"
      throw GRAOError(
        "a tokenizer of the type \(type) cannot be written to a GGUF file: expected BPE, "
          + "for llama.cpp's own \(type) has fixed stages around it, and no byte fallback")
    }
    return model["byte_fallback"] == true ? try sentencePiece(model) : try byteLevel(model)
  }

  private func byteLevel(_ model: Table) throws(GRAOError) -> Table {
    let name = try GGUFPreTokenizer.name(
      normalizer: json["normalizer"], preTokenizer: json["pre_tokenizer"],
      ignoresMerges: model["ignore_merges"]?.boolean ?? false)
    guard let name else {
      throw GRAOError("the tokenizer's normalizer and pre_tokenizer are none that llama.cpp has a name for")
    }
    let (tokens, types) = try vocabulary(model)
    return [
      "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": .string(name), "tokenizer.ggml.tokens": .array(tokens),
      "tokenizer.ggml.token_type": .array(types.map { .integer($0) }),
      "tokenizer.ggml.merges": .array(try merges(model).map { .string("\($0.left) \($0.right)") }),
    ]
  }

  /// llama.cpp merges by the score of what two tokens make: the earlier merge has the better one.
  private func sentencePiece(_ model: Table) throws(GRAOError) -> Table {
    guard model["ignore_merges"] != true, json["pre_tokenizer"]?.unlessNull == nil || isMetaspace else {
      throw GRAOError("the tokenizer's pre_tokenizer is none that llama.cpp has for SentencePiece's BPE")
    }
    var (tokens, types) = try vocabulary(model)
    var scores = [Double](repeating: 0, count: tokens.count)
    var ids: [String: Int] = [:]
    for (id, token) in tokens.enumerated() {
      let text = token.string ?? ""
      ids[text] = id
      if types[id] == TokenType.normal, text.utf8.count == 6, text.hasPrefix("<0x"), text.hasSuffix(">") {
        types[id] = TokenType.byte
      }
      if text == model["unk_token"]?.string { types[id] = TokenType.unknown }
      if types[id] != TokenType.normal { scores[id] = types[id] == TokenType.byte ? 0 : -1000 }
    }
    for (rank, merge) in try merges(model).enumerated().reversed() {
      if let id = ids[merge.left + merge.right] { scores[id] = -Double(rank) }
    }
    return [
      "tokenizer.ggml.model": "llama", "tokenizer.ggml.pre": "default", "tokenizer.ggml.tokens": .array(tokens),
      "tokenizer.ggml.scores": .array(scores.map { .number($0) }),
      "tokenizer.ggml.token_type": .array(types.map { .integer($0) }),
      "tokenizer.ggml.add_space_prefix": .boolean(addsSpace),
    ]
  }

  private var isMetaspace: Bool { json["pre_tokenizer"]?["type"] == "Metaspace" }

  /// Whether a space is put before a text.
  private var addsSpace: Bool {
    if isMetaspace { return (json["pre_tokenizer"]?["prepend_scheme"] ?? "always") != "never" }
    let normalizer = json["normalizer"]
    return ([normalizer] + (normalizer?["normalizers"]?.array ?? []).map { $0 }).contains { $0?["type"] == "Prepend" }
  }

  /// The tokens by id, gaps filled, and their types.
  private func vocabulary(_ model: Table) throws(GRAOError) -> (tokens: [Value], types: [Int]) {
    var entries: [Int: (token: String, type: Int)] = [:]
    for (token, id) in model["vocab"]?.table ?? Table() {
      if let id = id.integer { entries[id] = (token, TokenType.normal) }
    }
    for added in json["added_tokens"]?.array ?? [] {
      guard let id = added["id"]?.integer, let token = added["content"]?.string else { continue }
      entries[id] = (token, added["special"] == true ? TokenType.control : TokenType.userDefined)
    }
    guard let first = entries.keys.min(), let last = entries.keys.max(), first >= 0, last < 4 * entries.count + 1024
    else {
      throw GRAOError("the tokenizer's ids are not those of a list of tokens")
    }
    var tokens: [Value] = []
    var types: [Int] = []
    for id in 0...last {
      tokens.append(.string(entries[id]?.token ?? "[PAD\(id)]"))
      types.append(entries[id]?.type ?? TokenType.unused)
    }
    return (tokens, types)
  }

  private func merges(_ model: Table) throws(GRAOError) -> [(left: String, right: String)] {
    var merges: [(left: String, right: String)] = []
    for merge in model["merges"]?.array ?? [] {
      let parts =
        merge.array?.compactMap(\.string)
        ?? merge.string?.split(separator: " ", omittingEmptySubsequences: false).map(String.init) ?? []
      guard parts.count == 2 else { throw GRAOError("the tokenizer's merges: expected pairs of tokens") }
      merges.append((parts[0], parts[1]))
    }
    return merges
  }
}
