import Foundation
import Testing
import Tokenizers
import Values

/// Ids and texts against HF tokenizers' answers for many strings, which Tests/Oracles/fuzz_tokenizers.py writes.
@Suite struct DifferentialTests {
  private static let folder = ProcessInfo.processInfo.environment["GRAO_TOKENIZER_FUZZ"]

  /// The folder holds directories, each of a tokenizer and answers.jsonl.
  @Test(.enabled(if: folder != nil)) func answers() throws {
    let folder = try #require(Self.folder)
    for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
      let path = "\(folder)/\(name)/answers.jsonl"
      guard let data = FileManager.default.contents(atPath: path) else { continue }
      let tokenizer = try Tokenizer.load(directory: "\(folder)/\(name)")
      var count = 0
      var wrong = 0
      for line in data.split(separator: UInt8(ascii: "\n")) {
        let row = try JSON.parse(Data(line), source: path)
        let text = try #require(row["text"]?.string)
        func ids(_ key: String) throws -> [Int32] { try #require(row[key]?.array).map { Int32($0.integer ?? -1) } }
        let all = try ids("ids")
        let isRight =
          try tokenizer.encode(text) == all && tokenizer.encode(text, addSpecialTokens: false) == ids("plain")
          && tokenizer.decode(all).utf8.elementsEqual(#require(row["decoded"]?.string).utf8)
          && tokenizer.decode(all, skipSpecialTokens: false).utf8.elementsEqual(#require(row["all"]?.string).utf8)
        count += 1
        if !isRight {
          wrong += 1
          if wrong <= 5 {
            print("\(name): \(text.debugDescription)\n  ours \(try tokenizer.encode(text))\n  HF   \(all)")
            print(
              "  ours \(tokenizer.decode(all).debugDescription)\n  HF   \(row["decoded"]?.string?.debugDescription ?? "")"
            )
          }
        }
      }
      print("\(name): \(count) strings, \(wrong) mismatches")
      #expect(wrong == 0 && count > 0)
    }
  }
}
