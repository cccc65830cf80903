import Values

/// "BPE": a word starts as its characters, and pairs of neighbours merge in the order that training found them.
struct BytePairEncoding: TokenModel {
  let vocabulary: Vocabulary
  private let merges: MergeTable
  private let unknownToken: String?
  private let fusesUnknown: Bool
  private let byteFallback: ByteFallback?
  private let affixes: WordAffixes?
  /// A word that is a token as it stands stays whole, whatever the merges would make of it.
  private let ignoresMerges: Bool
  /// Scalar below 0x400 → id, or -1: most characters are found without hashing.
  private let scalarIDs: [Int32]

  /// Whether no merge joins a character with a visible space that follows it: then a text that comes as one word, as
  /// SentencePiece's do, falls apart before its spaces, and the same words are merged only once.
  private let cutsBeforeSpaces: Bool

  /// What the model needs for words whose bytes are not spelled; nil where a byte's character is no token.
  private let byteLevel: ByteLevelTokens?

  init(_ description: StageDescription) throws(GRAOError) {
    try description.refuse("dropout", unless: 0)
    let vocabulary = try Vocabulary(description.value("vocab"), path: "\(description.path).vocab")
    self.vocabulary = vocabulary
    let affixes = try WordAffixes(description)
    self.affixes = affixes
    let merges = try MergeTable(description, vocabulary, affixes)
    self.merges = merges
    unknownToken = description.value("unk_token") == nil ? nil : try description.string("unk_token")
    fusesUnknown = try description.boolean("fuse_unk", default: false)
    byteFallback = try description.boolean("byte_fallback", default: false) ? ByteFallback(vocabulary) : nil
    ignoresMerges = try description.boolean("ignore_merges", default: false)
    scalarIDs = (0..<0x400).map { value in
      Unicode.Scalar(value).flatMap { vocabulary.id(of: String(Character($0))) } ?? -1
    }
    byteLevel = affixes == nil ? ByteLevelTokens(vocabulary, findsWords: ignoresMerges) : nil
    cutsBeforeSpaces =
      affixes == nil && !ignoresMerges && vocabulary.id(of: "\u{2581}") != nil
      && !merges.results.contains { id in
        guard let token = vocabulary.token(of: id) else { return false }
        var isBehindOther = false
        var position = token.startIndex
        while position < token.endIndex {
          if Self.isSpace(token, at: position) {
            if isBehindOther { return true }
            position += 3
          } else {
            isBehindOther = true
            position += 1
          }
        }
        return false
      }
  }

  /// Whether U+2581 stands at `position` of UTF-8.
  private static func isSpace<Bytes: Collection<UInt8>>(_ bytes: Bytes, at position: Int) -> Bool
  where Bytes.Index == Int {
    bytes[position] == 0xE2 && bytes.endIndex - position >= 3 && bytes[position + 1] == 0x96
      && bytes[position + 2] == 0x81
  }

  /// The words of a piece: it, or its parts that begin with visible spaces.
  private func forEachWord(
    of piece: Range<Int>, in bytes: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) throws(GRAOError) -> Void
  ) throws(GRAOError) {
    guard cutsBeforeSpaces else { return try body(piece) }
    var start = piece.lowerBound
    var position = start
    var isSpace = true
    while position < piece.upperBound {
      let wasSpace = isSpace
      isSpace = Self.isSpace(bytes, at: position)
      if isSpace, !wasSpace {
        try body(start..<position)
        start = position
      }
      position += isSpace ? 3 : 1
    }
    try body(start..<piece.upperBound)
  }

  var takesUnspelled: Bool { byteLevel != nil }

  func encode(_ pieces: Pieces, to ids: inout [Int32]) throws(GRAOError) {
    let byteLevel = pieces.isUnspelled ? byteLevel : nil
    var cache = WordCache(words: cutsBeforeSpaces ? pieces.bytes.count / 8 : pieces.ranges.count)
    var merger = WordMerger()
    try pieces.bytes.withUnsafeBufferPointer { bytes throws(GRAOError) in
      try merges.read { merges throws(GRAOError) in
        func encode(_ range: Range<Int>) throws(GRAOError) {
          try cache.append(range, of: bytes, to: &ids) { word, ids throws(GRAOError) in
            if ignoresMerges, let id = byteLevel == nil ? vocabulary.id(of: word) : byteLevel?.id(of: word) {
              ids.append(id)
              return
            }
            // Positions in a word are 32 bits.
            guard word.count < Int(Int32.max) else {
              throw GRAOError("tokenizer: a word of \(word.count) bytes is too long")
            }
            merger.symbols.removeAll(keepingCapacity: true)
            if let byteLevel {
              byteLevel.spell(word, to: &merger.symbols)
            } else {
              try spell(word, to: &merger.symbols)
            }
            merger.merge(merges, to: &ids)
          }
        }
        for range in pieces.ranges {
          if byteLevel == nil { try forEachWord(of: range, in: bytes, encode) } else { try encode(range) }
        }
      }
    }
  }

  /// The ids of the word's characters. One that has none is the unknown token, or left out where there is no such.
  private func spell(_ word: UnsafeBufferPointer<UInt8>, to symbols: inout [Int32]) throws(GRAOError) {
    // The unknown token that is still to be put down; as in HF's, bytes do not end a run of unknown characters.
    var pending: Int32?
    var position = 0
    while position < word.count {
      let scalar = UTF8Text.scalar(in: word, at: position)
      let end = position + scalar.length
      let character = UnsafeBufferPointer(rebasing: word[position..<end])
      let id: Int32
      if let affixes {
        id = affixes.id(of: character, isFirst: position == 0, isLast: end == word.count, vocabulary)
      } else if Int(scalar.value) < scalarIDs.count {
        id = scalarIDs[Int(scalar.value)]
      } else {
        id = vocabulary.id(of: character) ?? -1
      }
      if id >= 0 {
        if let unknown = pending { symbols.append(unknown) }
        pending = nil
        symbols.append(id)
      } else if spellsBytes(character, position, end == word.count, to: &symbols) {
        // Its bytes are put down.
      } else if let unknownToken {
        guard let unknown = vocabulary.id(of: unknownToken) else {
          throw GRAOError("tokenizer: the unknown token '\(unknownToken)' is not in the vocabulary")
        }
        if !fusesUnknown, let earlier = pending { symbols.append(earlier) }
        pending = unknown
      }
      position = end
    }
    if let unknown = pending { symbols.append(unknown) }
  }

  private func spellsBytes(
    _ character: UnsafeBufferPointer<UInt8>, _ position: Int, _ isLast: Bool, to symbols: inout [Int32]
  ) -> Bool {
    guard let byteFallback else { return false }
    guard let affixes else { return byteFallback.append(character, to: &symbols) }
    return affixes.spelling(of: character, isFirst: position == 0, isLast: isLast).withUnsafeBufferPointer {
      byteFallback.append($0, to: &symbols)
    }
  }
}
