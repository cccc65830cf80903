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
    for range in pieces.ranges {
      let count = ids.count
      if pieces.bytes[range].count(where: { $0 & 0xC0 != 0x80 }) <= longestWord, spell(pieces.bytes[range], to: &ids) {
        continue
      }
      ids.removeSubrange(count...)
      guard let unknown else { throw GRAOError("tokenizer: the model's unknown token is not in the vocabulary") }
      ids.append(unknown)
    }
  }

  private func spell(_ word: ArraySlice<UInt8>, to ids: inout [Int32]) -> Bool {
    var start = word.startIndex
    while start < word.endIndex {
      let before = start == word.startIndex ? [] : prefix
      var token = before + word[start...].prefix(longestToken)
      var found: Int32?
      while token.count > before.count {
        found = token.withUnsafeBufferPointer { vocabulary.id(of: $0) }
        if found != nil { break }
        token.removeLast()
      }
      guard let found else { return false }
      ids.append(found)
      start += token.count - before.count
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
