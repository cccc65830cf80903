import Testing
import Values

@testable import Tokenizers

@Suite struct MergingTests {
  /// The rule as it stands: of all pairs the one of least rank, the leftmost among equals, until none merges.
  private func naive(_ word: [Int32], _ merges: [[Int32]: (rank: Int, result: Int32)]) -> [Int32] {
    var word = word
    while true {
      var best: (rank: Int, index: Int, result: Int32)?
      for index in word.indices.dropLast() {
        guard let merge = merges[[word[index], word[index + 1]]] else { continue }
        if best.map({ merge.rank < $0.rank }) ?? true { best = (merge.rank, index, merge.result) }
      }
      guard let best else { return word }
      word[best.index] = best.result
      word.remove(at: best.index + 1)
    }
  }

  /// Words short and long, over merges whose parts come before or after them in rank.
  @Test func mergerFollowsTheRule() throws {
    var stream = RandomStream(seed: 5)
    for round in 0..<40 {
      var table = MergeTable(capacity: 60)
      var merges: [[Int32]: (rank: Int, result: Int32)] = [:]
      let symbols: Int32 = 4
      var pairs: [(pair: [Int32], result: Int32)] = []
      for index in 0..<60 {
        let known = Int(symbols) + index
        let pair = [Int32(stream.integer(below: known)), Int32(stream.integer(below: known))]
        if !pairs.contains(where: { $0.pair == pair }) { pairs.append((pair, symbols + Int32(index))) }
      }
      stream.shuffle(&pairs)
      for (rank, merge) in pairs.enumerated() {
        table.append(merge.pair[0], merge.pair[1], result: merge.result)
        merges[merge.pair] = (rank, merge.result)
      }
      var merger = WordMerger()
      for length in [1, 2, 3, 10, 63, 64, 65, 66, 150, 300] + (round == 0 ? [4097] : []) {
        let word = (0..<length).map { _ in Int32(stream.integer(below: Int(symbols))) }
        merger.symbols = word
        var ids: [Int32] = [-7]
        try table.read { merges throws(GRAOError) in merger.merge(merges, to: &ids) }
        #expect(ids == [-7] + naive(word, merges))
      }
    }
  }

  /// A word among others, before and after it has come once, becomes what it becomes alone; and what its bytes become
  /// is what their characters become.
  @Test(arguments: ["gpt2", "llama3", "spm-bpe", "suffix-bpe"]) func wordsByThemselves(style: String) throws {
    let json = try Fixtures.json("\(Fixtures.folder)/\(style)/tokenizer.json")
    let model = try BytePairEncoding(StageDescription(#require(json["model"]), path: style))
    #expect(model.takesUnspelled == Fixtures.byteLevelStyles.contains(style))
    var stream = RandomStream(seed: 6)
    let letters = Array("aeiou tnéж字👋")
    let words = (0..<3000).map { _ in
      Array(String((0...stream.integer(below: 90)).map { _ in letters[stream.integer(below: letters.count)] }).utf8)
    }
    var pieces = Pieces([], first: 0)
    var expected: [Int32] = []
    for _ in 0..<6000 {
      let word = words[stream.integer(below: words.count)]
      pieces.ranges.append(pieces.bytes.count..<pieces.bytes.count + word.count)
      pieces.bytes += word
      var alone = Pieces(word, first: 0)
      alone.isUnspelled = model.takesUnspelled
      alone.spell()
      try model.encode(alone, to: &expected)
    }
    pieces.isUnspelled = model.takesUnspelled
    var ids: [Int32] = []
    try model.encode(pieces, to: &ids)
    #expect(ids == expected && ids.count > 6000)
  }

  /// Nothing is looked at again and again, whatever the text: what is not linear would take hours.
  @Test(.timeLimit(.minutes(1)), arguments: ["gpt2", "llama3", "qwen2", "spm-bpe", "unigram"])
  func longTexts(style: String) throws {
    let tokenizer = try Fixtures.tokenizer(style)
    var stream = RandomStream(seed: 7)
    let letters = String(decoding: (0..<1 << 18).map { _ in UInt8(97 + stream.integer(below: 26)) }, as: UTF8.self)
    for unit in ["a", "ab", " ", "\n", " \n", "   x", "7", "!", "'", "<|", "字", "\u{301}", "a\u{301}", letters] {
      let text = String(repeating: unit, count: (1 << 18) / unit.utf8.count)
      #expect(try tokenizer.encode(text, addSpecialTokens: false).count <= 3 * text.utf8.count + 3)
    }
  }
}
