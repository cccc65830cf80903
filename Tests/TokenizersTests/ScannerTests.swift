import Foundation
import Testing
import Values

@testable import Tokenizers

/// Scanners find what Oniguruma finds by the pattern that they stand for.
@Suite struct ScannerTests {
  private static let patterns = [
    GPT2Scanner.pattern, GPT4Scanner.pattern(digits: "{1,3}"), GPT4Scanner.pattern(digits: ""),
    GPT4Scanner.pattern(digits: "", marksAreLetters: true),
    CasedScanner.pattern(digits: "{1,3}", keepsContractions: true),
    CasedScanner.pattern(digits: "", keepsContractions: false), DeepSeekScanner.pattern, LineEndScanner.pattern,
    // Runs: those of DeepSeek and Falcon, and white space that is of the class itself.
    #"\p{N}{1,3}"#, "[\u{4E00}-\u{9FA5}\u{3040}-\u{309F}\u{30A0}-\u{30FF}]+", "[\r\n]", #"\s?\p{L}+"#, #"\s?\p{P}+"#,
    "[\u{4E00}-\u{9FA5}\u{800}-\u{4E00}\u{AC00}-\u{D7FF}]+", #"\p{N}"#, #"\p{N}+"#, "[0-9][0-9][0-9]",
    #"\s?["# + DeepSeekLetters.members + "]+", "\\s?[!-/:-~\u{FF01}-\u{FF0F}\u{2018}-\u{201F}\u{3000}-\u{3002}]+",
  ]

  private func matches(_ pattern: WordPattern, _ text: [UInt8]) throws -> [Range<Int>] {
    try text.withUnsafeBufferPointer { text throws(GRAOError) in
      var found: [Range<Int>] = []
      try pattern.appendMatches(in: text, to: &found)
      return found
    }
  }

  /// What the patterns tell apart, and what comes close to it.
  private static let edges =
    [
      "'", "s", "S", "t", "T", "re", "RE", "rE", "ve", "VE", "m", "M", "ll", "LL", "lL", "d", "D", "\u{17F}",
      "\u{212A}",
    ]
    + [
      " ", " ", "  ", "\t", "\n", "\r", "\r\n", "\u{B}", "\u{C}", "\u{85}", "\u{A0}", "\u{2028}", "\u{3000}",
      "\u{200B}",
    ]
    + ["\u{FEFF}", "\u{180E}", "\u{1680}", "\0", "\u{7F}", "\u{301}", "\u{20DD}", "\u{903}", "\u{FE0F}", "\u{E0101}"]
    + [
      "1", "12", "1234", "½", "Ⅷ", "٣", "𝟙", "一", "\u{9FA5}", "\u{9FA6}", "\u{303F}", "\u{3040}", "\u{309F}",
      "\u{30FF}",
    ]
    + [
      "\u{3100}", "\u{4DFF}", "\u{10FFFF}", "\u{E000}", "\u{FFFF}", "\u{D7FF}", "ª", "ǅ", "ß", "A", "Éa", "ABc", "ʰ",
      "/", "\n/", "😀", "🏽", "_", "€", "—",
    ]

  /// Blocks of scripts, the whole of Unicode last.
  private static let blocks: [ClosedRange<UInt32>] = [
    0x20...0x7E, 0...0x7F, 0x80...0x24F, 0x250...0x36F, 0x370...0x52F, 0x530...0x6FF, 0x700...0xDFF, 0xE00...0x139F,
    0x13A0...0x1FFF, 0x2000...0x2BFF, 0x2C00...0x33FF, 0x3400...0x9FFF, 0xA000...0xD7FF, 0xE000...0xFFFF,
    0x10000...0x12FFF, 0x13000...0x1D7FF, 0x1D800...0x1FFFF, 0x20000...0x323AF, 0xE0000...0xE01FF, 0...0x10FFFF,
  ]

  private func text(_ stream: inout RandomStream) -> [UInt8] {
    var text = ""
    for _ in 0..<stream.integer(below: 12) {
      if stream.integer(below: 2) == 0 {
        text += Self.edges[stream.integer(below: Self.edges.count)]
      } else {
        let block = Self.blocks[stream.integer(below: Self.blocks.count)]
        for _ in 0...stream.integer(below: 4) {
          let value = block.lowerBound + UInt32(stream.integer(below: block.count))
          if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
        }
      }
    }
    return Array(text.utf8)
  }

  @Test(arguments: patterns) func randomTexts(pattern: String) throws {
    let scanner = try WordPattern(pattern, path: "test")
    if case .regex = scanner { Issue.record("\(pattern) has no scanner") }
    let regex = WordPattern.regex(try Regex(pattern, path: "test"))
    var stream = RandomStream(seed: 4)
    for _ in 0..<100_000 {
      let text = text(&stream)
      let found = try matches(scanner, text)
      guard try found != matches(regex, text) else { continue }
      Issue.record("\(String(decoding: text, as: UTF8.self).unicodeScalars.map(\.value)): \(found)")
      return
    }
  }

  /// Every scalar that Unicode 16 has, and its neighbours, alone and beside a space, a letter, a digit and signs.
  @Test(arguments: patterns) func everyScalar(pattern: String) throws {
    let scanner = try WordPattern(pattern, path: "test")
    let regex = WordPattern.regex(try Regex(pattern, path: "test"))
    let planes: [ClosedRange<UInt32>] = [0...0x323FF, 0xE0000...0xE0FFF, 0x10FF00...0x10FFFF]
    for value in planes.joined() {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let text = Array("\(scalar) \(scalar)a\(scalar)1\(scalar)!\(scalar)\(scalar)'\(scalar)".utf8)
      guard try matches(scanner, text) != matches(regex, text) else { continue }
      Issue.record("U+\(String(value, radix: 16))")
      return
    }
  }

  /// Newlines in a pattern may be written either way; any other pattern is Oniguruma's.
  @Test func recognition() throws {
    let literal = GPT4Scanner.pattern(digits: "").replacing(#"\r\n"#, with: "\r\n")
    if case .gpt4(let scanner) = try WordPattern(literal, path: "test") {
      #expect(scanner.digits == 1)
    } else {
      Issue.record("not recognised")
    }
    for pattern in [
      #"\p{L}*"#, #"\p{L}+?"#, "[^a]+", "[a-z&&[b]]+", "[a-]", "[-a]", #"[\d]"#, #"[\p{L}]"#, "[a][b]", "a", "[a]{2}",
      #"\s?"#, "[]a]", "[a-z-9]+", "", "[", "[a", "[z-a]",
    ] where RunScanner(pattern) != nil { Issue.record("\(pattern) is recognised") }
    if case .regex = try WordPattern(#"\d+"#, path: "test") {} else { Issue.record("recognised") }
  }
}
