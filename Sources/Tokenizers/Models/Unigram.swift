import Values

/// "Unigram": the cut of a word into tokens whose scores (log-probabilities) add up to the most (Kudo 2018). A character
/// that no token covers is unknown, at a score below all; neighbouring unknown ones are one token.
struct Unigram: TokenModel {
  let vocabulary: Vocabulary
  private let scores: [Double]
  private let trie: ByteTrie
  private let unknown: Int32?
  private let unknownScore: Double
  private let bytes: ByteFallback?

  /// How far below the least score of a token that of an unknown character lies.
  private static let unknownPenalty = 10.0

  init(_ description: StageDescription) throws(GRAOError) {
    let path = "\(description.path).vocab"
    guard let entries = description.value("vocab")?.array, !entries.isEmpty else {
      throw GRAOError("\(path): expected an array of tokens with scores")
    }
    var tokens: [String] = []
    var scores: [Double] = []
    for (index, entry) in entries.enumerated() {
      guard let pair = entry.array, pair.count == 2, let token = pair[0].string, let score = pair[1].number else {
        throw GRAOError("\(path)[\(index)]: expected a token and its score")
      }
      tokens.append(token)
      scores.append(UnigramScore.read(score))
    }
    self.scores = scores
    vocabulary = try Vocabulary(tokens, path: path)
    trie = ByteTrie(tokens.map { Array($0.utf8) })
    unknownScore = (scores.min() ?? 0) - Self.unknownPenalty
    bytes = try description.boolean("byte_fallback", default: false) ? ByteFallback(vocabulary) : nil
    if let value = description.value("unk_id") {
      guard let id = value.integer, tokens.indices.contains(id) else {
        throw GRAOError("\(description.path).unk_id: expected a token id below \(tokens.count)")
      }
      unknown = Int32(id)
    } else {
      unknown = nil
    }
  }

  func encode(_ pieces: Pieces, to ids: inout [Int32]) throws(GRAOError) {
    var cache = WordCache(words: pieces.ranges.count)
    try pieces.bytes.withUnsafeBufferPointer { bytes throws(GRAOError) in
      for range in pieces.ranges {
        try cache.append(range, of: bytes, to: &ids) { word, ids throws(GRAOError) in try encode(word, to: &ids) }
      }
    }
  }

  /// The best cut of the text before a place: its score, and its last token with where that starts (-1: none).
  private struct Node {
    var score = 0.0
    var start = -1
    var id: Int32 = 0
  }

  private func encode(_ text: UnsafeBufferPointer<UInt8>, to ids: inout [Int32]) throws(GRAOError) {
    var best = [Node](repeating: Node(), count: text.count + 1)
    var start = 0
    while start < text.count {
      let score = best[start].score
      let length = UTF8Text.scalar(in: text, at: start).length
      // Among equals the cut that was found first stays, as in HF's search.
      func offer(_ end: Int, _ total: Double, _ id: Int32) {
        if best[end].start < 0 || total > best[end].score { best[end] = Node(score: total, start: start, id: id) }
      }
      var coversCharacter = false
      trie.prefixes(of: text, from: start) { entry, end in
        offer(end, score + scores[Int(entry)], entry)
        if end == start + length { coversCharacter = true }
      }
      if !coversCharacter {
        guard let unknown else { throw GRAOError("tokenizer: the model has no unknown token, which the text needs") }
        offer(start + length, score + unknownScore, unknown)
      }
      start += length
    }
    try append(best, of: text, to: &ids)
  }

  private func append(
    _ best: [Node], of text: UnsafeBufferPointer<UInt8>, to ids: inout [Int32]
  ) throws(GRAOError) {
    var tokens: [(range: Range<Int>, id: Int32)] = []
    var end = text.count
    while end > 0, best[end].start >= 0 {
      let node = best[end]
      if node.id == unknown, let last = tokens.last, last.id == unknown {
        tokens[tokens.count - 1].range = node.start..<last.range.upperBound
      } else {
        tokens.append((node.start..<end, node.id))
      }
      end = node.start
    }
    for token in tokens.reversed() {
      let piece = UnsafeBufferPointer(rebasing: text[token.range])
      // Several unknown characters together may spell a token.
      if let id = token.id == unknown ? vocabulary.id(of: piece) : token.id {
        ids.append(id)
      } else if let bytes, bytes.append(piece, to: &ids) {
        continue
      } else {
        ids.append(token.id)
      }
    }
  }
}
