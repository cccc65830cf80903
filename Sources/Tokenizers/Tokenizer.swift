import Foundation
import Values

/// Text to token ids and back, equal to HF tokenizers for the same tokenizer.json.
///
/// A tokenizer is the pipeline that its tokenizer.json describes: text is cut at the added tokens; what lies between them
/// goes through normalizer, pre-tokenizer and model; the post-processor sets special tokens around the ids; the decoder
/// turns tokens into text again. A stage whose type is not built is an error that names it.
///
/// tokenizer_config.json adds what transformers' AutoTokenizer takes from it: the named special tokens, further added
/// tokens, and with `add_bos_token` or `add_eos_token` the special tokens around every text. Truncation and padding
/// settings of tokenizer.json have no effect, as with AutoTokenizer. Decoding is HF's `decode`; the cleaning of spaces
/// that `clean_up_tokenization_spaces` asks for is not done, as transformers 5 does none for BPE models.
public final class Tokenizer: Sendable {
  private let addedTokens: AddedTokens
  private let normalizer: (any Normalizer)?
  private let preTokenizer: (any PreTokenizer)?
  private let model: any TokenModel
  private let postProcessor: (any PostProcessor)?
  private let decoder: any Decoder

  /// Per id: where its bytes end in `tokenBytes` (they start at the end of the id before), and what it is.
  private let ends: [Int]
  private let tokenBytes: [UInt8]
  private let roles: [Role]
  private let savedFiles: [(name: String, bytes: [UInt8])]

  private enum Role: UInt8 { case none, ordinary, special }

  /// The token that ends a text, as tokenizer_config.json's `eos_token` names it.
  public let eosTokenID: Int32?
  /// The token that starts a text, as tokenizer_config.json's `bos_token` names it.
  public let bosTokenID: Int32?
  let chatTemplates: ChatTemplates
  /// The special tokens with a name of their own, bos_token and the like: variables of a chat template.
  let specialTokens: [(name: String, content: String)]
  /// The Jinja source of the chat template, as it was found: in chat_template.jinja, tokenizer_config.json or a GGUF
  /// file's metadata.
  public var chatTemplate: String? { chatTemplates.defaultSource }

  /// What its model is called in tokenizer.json: "BPE", "Unigram", …
  public let kind: String

  /// One more than the largest token id.
  public var vocabularySize: Int { ends.count }

  /// - Parameters:
  ///   - json: the content of a tokenizer.json.
  ///   - config: the content of the tokenizer_config.json beside it.
  ///   - source: what the values were read from, for messages.
  public convenience init(json: Value, config: Table?, source: String) throws(GRAOError) {
    var files = [(name: "tokenizer.json", bytes: Array(try JSON.print(json).utf8))]
    if let config {
      files.append((name: "tokenizer_config.json", bytes: Array(try JSON.print(.table(config), pretty: true).utf8)))
    }
    let settings = try TokenizerSettings(config: config, specials: nil, source: source)
    try self.init(json: json, settings: settings, files: files, source: source)
  }

  init(
    json: Value, settings: TokenizerSettings, chatTemplates: [String: String] = [:],
    files: [(name: String, bytes: [UInt8])],
    source: String
  ) throws(GRAOError) {
    let root = try StageDescription(json, path: source)
    // The paths of the stages read "tokenizer.json: pre_tokenizer.pretokenizers[1]".
    func stage(_ key: String) throws(GRAOError) -> StageDescription? {
      guard let value = root.value(key) else { return nil }
      return try StageDescription(value, path: "\(source): \(key)")
    }
    guard let modelStage = try stage("model") else {
      throw GRAOError("\(source): model: expected a table, found nothing")
    }
    let model = try TokenModels.make(modelStage)
    kind = modelStage.type ?? "BPE"
    let normalizer = try stage("normalizer").map { stage throws(GRAOError) in try Normalizers.registry.make(stage) }
    preTokenizer = try stage("pre_tokenizer").map { stage throws(GRAOError) in try PreTokenizers.registry.make(stage) }
    let decoder: any Decoder =
      try stage("decoder").map { stage throws(GRAOError) in try Decoders.registry.make(stage) } ?? SpacedDecoder()

    var added = AddedTokens()
    if let value = root.value("added_tokens") {
      guard let elements = value.array else {
        throw GRAOError("\(source): added_tokens: expected an array, found \(value.kind)")
      }
      for (index, element) in elements.enumerated() {
        let token = try AddedToken(StageDescription(element, path: "\(source): added_tokens[\(index)]"))
        try added.add(token, model.vocabulary, normalizer)
      }
    }
    for token in settings.further + settings.named.map(\.token) where added.id(of: token.content) == nil {
      try added.add(token, model.vocabulary, normalizer)
    }

    func id(_ name: String) -> Int32? { settings.token(name).flatMap { added.id(of: $0.content) } }
    eosTokenID = id("eos_token")
    bosTokenID = id("bos_token")
    if let around = settings.around {
      postProcessor = TemplateProcessing(
        before: around.beginning ? [bosTokenID].compactMap(\.self) : [],
        after: around.end ? [eosTokenID].compactMap(\.self) : [])
    } else {
      postProcessor = try stage("post_processor").map { stage throws(GRAOError) in
        try PostProcessors.registry.make(stage)
      }
    }
    // Files of templates take the place of all that tokenizer_config.json has, as in transformers.
    self.chatTemplates = ChatTemplates(chatTemplates.isEmpty ? settings.chatTemplates : chatTemplates, source: source)
    specialTokens = settings.named.map { ($0.name, $0.token.content) }

    var ends: [Int] = []
    var tokenBytes: [UInt8] = []
    var roles: [Role] = []
    for id in 0..<Int32(truncatingIfNeeded: max(model.vocabulary.idBound, added.idBound)) {
      if let text = added.text(of: id) {
        tokenBytes += decoder.bytes(of: text)
        roles.append(added.isSpecial(text) ? .special : .ordinary)
      } else if let text = model.vocabulary.token(of: id) {
        tokenBytes += decoder.bytes(of: Array(text))
        roles.append(.ordinary)
      } else {
        roles.append(.none)
      }
      ends.append(tokenBytes.count)
    }
    self.ends = ends
    self.tokenBytes = tokenBytes
    self.roles = roles
    addedTokens = added
    self.normalizer = normalizer
    self.model = model
    self.decoder = decoder
    savedFiles = files
  }

  /// The ids of `text`; with the special tokens that the model wants around it, where `addSpecialTokens`.
  ///
  /// Special tokens written out in the text are found in either case. Throws only where a pre-tokenizer's pattern runs
  /// over the regular expression library's bounds, or the unknown token that is needed does not exist.
  public func encode(_ text: String, addSpecialTokens: Bool = true) throws(GRAOError) -> [Int32] {
    var ids: [Int32] = []
    try Array(text.utf8).withUnsafeBufferPointer { text throws(GRAOError) in
      for part in addedTokens.cut(text, afterNormalizing: false) {
        switch part {
        case .token(let id): ids.append(id)
        case .text(let range): try encode(Array(text[range]), startsText: range.lowerBound == 0, to: &ids)
        }
      }
    }
    return addSpecialTokens ? postProcessor?.process(ids) ?? ids : ids
  }

  /// Encodes text in which no added token is left that is looked for before normalizing.
  private func encode(_ text: [UInt8], startsText: Bool, to ids: inout [Int32]) throws(GRAOError) {
    var text = text
    var first = startsText ? text.withUnsafeBufferPointer { UTF8Text.scalar(in: $0, at: 0).length } : 0
    try normalizer?.normalize(&text, first: &first)
    try text.withUnsafeBufferPointer { text throws(GRAOError) in
      for part in addedTokens.cut(text, afterNormalizing: true) {
        switch part {
        case .token(let id): ids.append(id)
        case .text(let range):
          var pieces = Pieces(Array(text[range]), first: max(0, first - range.lowerBound))
          try preTokenizer?.cut(&pieces)
          if !model.takesUnspelled { pieces.spell() }
          try model.encode(pieces, to: &ids)
        }
      }
    }
  }

  /// The text of `ids`; bytes that are no UTF-8 become U+FFFD. Ids of no token count for nothing.
  public func decode(_ ids: some Sequence<Int32>, skipSpecialTokens: Bool = true) -> String {
    var pass = DecodingPass(self, skipSpecialTokens: skipSpecialTokens)
    var bytes: [UInt8] = []
    for id in ids { pass.feed(id, to: &bytes) }
    pass.finish(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Turns the tokens of one text into its bytes, as they come.
  struct DecodingPass {
    private let tokenizer: Tokenizer
    private let skipSpecialTokens: Bool
    /// Nil where tokens do not depend on each other.
    private var pass: (any DecoderPass)?

    init(_ tokenizer: Tokenizer, skipSpecialTokens: Bool) {
      self.tokenizer = tokenizer
      self.skipSpecialTokens = skipSpecialTokens
      pass = tokenizer.decoder.isContextFree ? nil : tokenizer.decoder.begin()
    }

    /// Appends the bytes that `id` settles.
    mutating func feed(_ id: Int32, to bytes: inout [UInt8]) {
      guard let range = tokenizer.range(of: id), !(skipSpecialTokens && tokenizer.isSpecial(id)) else { return }
      if pass == nil {
        bytes += tokenizer.tokenBytes[range]
      } else {
        let text = tokenizer.addedTokens.text(of: id) ?? tokenizer.model.vocabulary.token(of: id).map(Array.init) ?? []
        for token in pass?.feed(text) ?? [] { bytes += token }
      }
    }

    /// Appends what is left at the end of the text.
    mutating func finish(to bytes: inout [UInt8]) {
      for token in pass?.finish() ?? [] { bytes += token }
    }
  }

  private func range(of id: Int32) -> Range<Int>? {
    guard ends.indices.contains(Int(id)), roles[Int(id)] != .none else { return nil }
    return (id == 0 ? 0 : ends[Int(id) - 1])..<ends[Int(id)]
  }

  /// The bytes that a token stands for inside a text: perhaps a part of a character. Nil where there is no such token.
  public func bytes(of id: Int32) -> [UInt8]? { range(of: id).map { Array(tokenBytes[$0]) } }

  /// A token as the vocabulary writes it ("Ġthe"), or nil where there is no such id.
  public func token(of id: Int32) -> String? {
    addedTokens.tokens[id]?.content ?? model.vocabulary.token(of: id).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The id of a token as the vocabulary writes it, or nil.
  public func id(of token: String) -> Int32? { addedTokens.id(of: token) ?? model.vocabulary.id(of: token) }

  /// Whether decoding leaves the token out by default.
  public func isSpecial(_ id: Int32) -> Bool { roles.indices.contains(Int(id)) && roles[Int(id)] == .special }

  /// What a saved model carries along, from which `load` makes this tokenizer again: the files it was loaded from byte
  /// by byte, or what it was made of.
  public func files() -> [(name: String, bytes: [UInt8])] { savedFiles }
}
