import Values

/// A token outside of the model's reach: found in the text as a whole, before anything else looks at it.
struct AddedToken: Sendable {
  var content: String
  var isSpecial: Bool
  /// Looked for in the normalized text rather than in the text as given.
  var isNormalized: Bool
  var isSingleWord = false
  var stripsLeft = false
  var stripsRight = false

  init(content: String, isSpecial: Bool) {
    self.content = content
    self.isSpecial = isSpecial
    isNormalized = !isSpecial
  }

  /// An element of tokenizer.json's "added_tokens", or a value of tokenizer_config.json's "added_tokens_decoder".
  init(_ description: StageDescription) throws(GRAOError) {
    content = try description.string("content")
    isSpecial = try description.boolean("special", default: false)
    isNormalized = try description.boolean("normalized", default: !isSpecial)
    isSingleWord = try description.boolean("single_word", default: false)
    stripsLeft = try description.boolean("lstrip", default: false)
    stripsRight = try description.boolean("rstrip", default: false)
  }
}

/// All added tokens with their ids, and how text is cut at them.
struct AddedTokens: Sendable {
  private(set) var tokens: [Int32: AddedToken] = [:]
  /// What a token is looked for as and decoded from where that is not its content: its normalized form, as UTF-8.
  private var normalized: [Int32: [UInt8]] = [:]
  private var ids = ByteStringTable()
  private var idOfEntry: [Int32] = []
  private var given = TokenTrie()
  private var afterNormalizing = TokenTrie()

  /// One more than the largest id.
  private(set) var idBound = 0

  func id(of content: String) -> Int32? {
    var content = content
    return content.withUTF8 { ids.index(of: $0) }.map { idOfEntry[$0] }
  }

  /// The UTF-8 that the decoder sees for an added token.
  func text(of id: Int32) -> [UInt8]? { normalized[id] ?? tokens[id].map { Array($0.content.utf8) } }

  /// Whether a token is special whose text as the decoder sees it is this.
  func isSpecial(_ text: [UInt8]) -> Bool {
    text.withUnsafeBufferPointer { ids.index(of: $0) }.flatMap { tokens[idOfEntry[$0]] }?.isSpecial ?? false
  }

  /// Adds a token under the id that it has in the model's vocabulary, or else the next free one.
  mutating func add(
    _ token: AddedToken, _ vocabulary: Vocabulary, _ normalizer: (any Normalizer)?
  ) throws(GRAOError) {
    guard !token.content.isEmpty else { return }
    let id =
      id(of: token.content) ?? vocabulary.id(of: token.content)
      ?? Int32(truncatingIfNeeded: max(vocabulary.count, idBound))
    var content = token.content
    let entry = content.withUTF8 { ids.insert($0) }
    if entry == idOfEntry.count { idOfEntry.append(id) }
    idBound = max(idBound, Int(id) + 1)
    tokens[id] = token
    normalized[id] = nil
    guard token.isNormalized else { return given.insert(Array(content.utf8), id) }
    var text = Array(content.utf8)
    var first = 0
    try normalizer?.normalize(&text, first: &first)
    if !text.elementsEqual(content.utf8) { normalized[id] = text }
    afterNormalizing.insert(text, id)
  }

  enum Part: Equatable {
    case token(Int32)
    case text(Range<Int>)
  }

  /// The text cut at the tokens that are looked for before (`afterNormalizing` false) or after normalizing.
  func cut(_ text: UnsafeBufferPointer<UInt8>, afterNormalizing isAfter: Bool) -> [Part] {
    let trie = isAfter ? afterNormalizing : given
    guard !trie.isEmpty else { return text.isEmpty ? [] : [.text(0..<text.count)] }
    var parts: [Part] = []
    // Where the text not yet cut off starts.
    var rest = 0
    // How far the white space reaches that a token before took along: tokens within it need not look again.
    var blankEnd = 0
    var position = 0
    while position < text.count {
      guard let match = trie.longestMatch(in: text, at: position), let token = tokens[match.id] else {
        position += 1
        continue
      }
      var start = position
      var end = match.end
      position = end
      if token.isSingleWord {
        let isInsideLeft = start > 0 && UTF8Text.isWord(UTF8Text.scalar(in: text, before: start).value)
        let isInsideRight = end < text.count && UTF8Text.isWord(UTF8Text.scalar(in: text, at: end).value)
        if isInsideLeft || isInsideRight { continue }
      }
      if token.stripsLeft {
        while start > rest {
          let scalar = UTF8Text.scalar(in: text, before: start)
          guard UTF8Text.isWhitespace(scalar.value) else { break }
          start -= scalar.length
        }
        start = max(start, rest)
      }
      if token.stripsRight {
        end = max(end, blankEnd)
        while end < text.count {
          let scalar = UTF8Text.scalar(in: text, at: end)
          guard UTF8Text.isWhitespace(scalar.value) else { break }
          end += scalar.length
        }
        blankEnd = end
      }
      if rest < start { parts.append(.text(rest..<start)) }
      parts.append(.token(match.id))
      rest = end
    }
    if rest < text.count { parts.append(.text(rest..<text.count)) }
    return parts
  }
}

/// Byte strings as a tree, to find the longest one that starts at a place.
private struct TokenTrie: Sendable {
  /// (node << 8 | byte) → node; node 0 is the root.
  private var children: [UInt64: Int32] = [:]
  private var idOfNode: [Int32] = [-1]
  private var isFirstByte = [Bool](repeating: false, count: 256)

  var isEmpty: Bool { children.isEmpty }

  mutating func insert(_ token: [UInt8], _ id: Int32) {
    guard let first = token.first else { return }
    isFirstByte[Int(first)] = true
    var node: Int32 = 0
    for byte in token {
      let key = UInt64(UInt32(bitPattern: node)) << 8 | UInt64(byte)
      if let child = children[key] {
        node = child
      } else {
        node = Int32(truncatingIfNeeded: idOfNode.count)
        children[key] = node
        idOfNode.append(-1)
      }
    }
    idOfNode[Int(node)] = id
  }

  func longestMatch(in text: UnsafeBufferPointer<UInt8>, at start: Int) -> (id: Int32, end: Int)? {
    guard isFirstByte[Int(text[start])] else { return nil }
    var found: (id: Int32, end: Int)?
    var node: Int32 = 0
    var position = start
    while position < text.count {
      guard let child = children[UInt64(UInt32(bitPattern: node)) << 8 | UInt64(text[position])] else { break }
      node = child
      position += 1
      if idOfNode[Int(node)] >= 0 { found = (idOfNode[Int(node)], position) }
    }
    return found
  }
}
