import TestSupport
import Testing
import Tokenizers
import Values

@testable import Sampling

/// Stop strings in the text of tokens, whatever the tokenizer cuts text into.
@Suite struct StopSearchTests {
  private static let styles = ["gpt2", "qwen2", "spm-bpe", "spm-bpe-first", "unigram", "unigram-bytes", "word-piece"]

  /// The first beginning of the tokens whose text holds a stop string ends the text, before the one that starts first.
  @Test(arguments: styles) func anyTokens(style: String) throws {
    let tokenizer = try Tokenizer.load(directory: Fixtures.root + "/Tests/Fixtures/tokenizers/\(style)")
    var stream = RandomStream(seed: 3)
    let texts = [
      "Hello, world! naïve Straße résumé", "быстрая лиса, ленивая собака", "你好，世界。自然言語処理", "👋🏽 👩‍👩‍👧‍👦 🇩🇪 ❤️ e\u{301}",
      "def f(x):\n    return x ** 2\n\n", "안녕하세요 नमस्ते مرحبا", "  spaces  and\ttabs\r\n",
    ]
    var (found, spanning) = (0, 0)
    for round in 0..<300 {
      let ids: [Int32] =
        round % 3 == 0
        ? (0..<20).map { _ in Int32(stream.integer(below: tokenizer.vocabularySize)) }
        : try tokenizer.encode(texts[stream.integer(below: texts.count)] + texts[stream.integer(below: texts.count)])
      let text = Array(tokenizer.decode(ids).unicodeScalars)
      // Parts of the text, and what is almost one.
      let stops = (0...stream.integer(below: 3)).compactMap { _ -> String? in
        guard !text.isEmpty else { return nil }
        let start = stream.integer(below: text.count)
        var part = String.UnicodeScalarView(text[start..<min(text.count, start + 1 + stream.integer(below: 6))])
        if stream.integer(below: 4) == 0 { part.append("?") }
        return part.contains("\u{FFFD}") ? nil : String(part)
      }
      guard !stops.isEmpty else { continue }
      var search = StopSearch(stops, tokenizer)
      var expected: String?
      for count in 1...ids.count {
        search.append(ids[count - 1])
        let utf8 = Array(tokenizer.decode(ids.prefix(count)).utf8)
        let start = utf8.indices.first { start in stops.contains { utf8[start...].starts(with: $0.utf8) } }
        expected = start.map { String(decoding: utf8[..<$0], as: UTF8.self) }
        #expect(search.found.map { Array($0.utf8) } == expected.map { Array($0.utf8) }, "\(stops), \(ids)")
        guard expected == nil else {
          found += 1
          let last = Array(tokenizer.decode([ids[count - 1]]).utf8)
          if !stops.contains(where: { String(decoding: last, as: UTF8.self).contains($0) }) { spanning += 1 }
          break
        }
      }
    }
    #expect(found > 150 && spanning > 30)
  }
}
