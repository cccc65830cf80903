import Values

/// "WordPiece": from the left, the longest token that the rest of the word starts with; a word that does not come out
/// even is unknown as a whole.
struct WordPiece: TokenModel {
  let vocabulary: Vocabulary
  private let unknown: Int32?
  /// What the tokens inside a word start with ("##").
  private let prefix: [UInt8]
  /// Longer words are unknown (in characters).
  private let longestWord: Int
  /// The longest token, in bytes.
  private let longestToken: Int

  init(_ description: StageDescription) throws(GRAOError) {
    vocabulary = try Vocabulary(description.value("vocab"), path: "\(description.path).vocab")
    unknown = vocabulary.id(of: try description.string("unk_token"))
    prefix = Array(try description.string("continuing_subword_prefix").utf8)
    longestWord = try description.count("max_input_chars_per_word")
    longestToken = description.value("vocab")?.table?.keys.map(\.utf8.count).max() ?? 0
  }

  func encode(_ pieces: Pieces, to ids: inout [Int32]) throws(GRAOError) {
    var cache = WordCache(words: pieces.ranges.count)
    var token: [UInt8] = []
    try pieces.bytes.withUnsafeBufferPointer { bytes throws(GRAOError) in
      for range in pieces.ranges {
        try cache.append(range, of: bytes, to: &ids) { word, ids throws(GRAOError) in
          let count = ids.count
          if word.count(where: { $0 & 0xC0 != 0x80 }) <= longestWord, spell(word, &token, to: &ids) { return }
          ids.removeSubrange(count...)
          guard let unknown else { throw GRAOError("tokenizer: the model's unknown token is not in the vocabulary") }
          ids.append(unknown)
        }
      }
    }
  }

  /// - Parameter token: room for a candidate.
  private func spell(_ word: UnsafeBufferPointer<UInt8>, _ token: inout [UInt8], to ids: inout [Int32]) -> Bool {
    var start = 0
    while start < word.count {
      token.removeAll(keepingCapacity: true)
      if start > 0 { token += prefix }
      let before = token.count
      token += UnsafeBufferPointer(rebasing: word[start...].prefix(longestToken))
      var found: Int32?
      while token.count > before {
        found = token.withUnsafeBufferPointer { vocabulary.id(of: $0) }
        if found != nil { break }
        token.removeLast()
      }
      guard let found else { return false }
      ids.append(found)
      start += token.count - before
    }
    return true
  }
}

/// "WordLevel": every word is a token or unknown.
struct WordLevel: TokenModel {
  let vocabulary: Vocabulary
  private let unknown: Int32?

  init(_ description: StageDescription) throws(GRAOError) {
    vocabulary = try Vocabulary(description.value("vocab"), path: "\(description.path).vocab")
    unknown = vocabulary.id(of: try description.string("unk_token"))
  }

  func encode(_ pieces: Pieces, to ids: inout [Int32]) throws(GRAOError) {
    for range in pieces.ranges {
      let id = pieces.bytes[range].withUnsafeBufferPointer { vocabulary.id(of: $0) } ?? unknown
      guard let id else { throw GRAOError("tokenizer: the model's unknown token is not in the vocabulary") }
      ids.append(id)
    }
  }
}
