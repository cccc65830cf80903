import Foundation
import Testing
import Tokenizers
import Values

/// Ids and texts against HF tokenizers' answers for many strings, which Tests/Oracles/fuzz_tokenizers.py writes.
@Suite struct DifferentialTests {
  private static let folder = ProcessInfo.processInfo.environment["GRAO_TOKENIZER_FUZZ"]

  /// That of the tokenizer.json, and that of a GGUF file's metadata beside it.
  private static func tokenizers(_ directory: String) throws -> [Tokenizer] {
    let whole = try Tokenizer.load(directory: directory)
    guard let data = FileManager.default.contents(atPath: "\(directory)/gguf.json") else { return [whole] }
    let metadata = try #require(JSON.parse(data, source: "gguf.json").table)
    return [whole, try Tokenizer(ggufMetadata: metadata, source: directory)]
  }

  /// The folder holds directories, each of a tokenizer and answers.jsonl, perhaps llama.cpp's in pairs.jsonl.
  @Test(.enabled(if: folder != nil)) func answers() throws {
    let folder = try #require(Self.folder)
    for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
      guard FileManager.default.fileExists(atPath: "\(folder)/\(name)/answers.jsonl") else { continue }
      for (index, tokenizer) in try Self.tokenizers("\(folder)/\(name)").enumerated() {
        for answers in ["answers.jsonl", "pairs.jsonl"] {
          try check(tokenizer, name + (index == 0 ? "" : " (GGUF)"), "\(folder)/\(name)/\(answers)")
        }
      }
    }
  }

  private func check(_ tokenizer: Tokenizer, _ name: String, _ path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else { return }
    var count = 0
    var wrong = 0
    for line in data.split(separator: UInt8(ascii: "\n")) {
      let row = try JSON.parse(Data(line), source: path)
      let text = try #require(row["text"]?.string)
      func ids(_ key: String) throws -> [Int32] { try #require(row[key]?.array).map { Int32($0.integer ?? -1) } }
      let plain = try ids("plain")
      var isRight = try tokenizer.encode(text, addSpecialTokens: false) == plain
      // llama.cpp's answers are the ids alone.
      if row["ids"] != nil {
        let all = try ids("ids")
        isRight =
          try isRight && tokenizer.encode(text) == all
          && tokenizer.decode(all).utf8.elementsEqual(#require(row["decoded"]?.string).utf8)
          && tokenizer.decode(all, skipSpecialTokens: false).utf8.elementsEqual(#require(row["all"]?.string).utf8)
      }
      count += 1
      if !isRight {
        wrong += 1
        if wrong <= 5 {
          let ours = try tokenizer.encode(text, addSpecialTokens: false)
          print("\(name): \(text.debugDescription)\n  ours \(ours)\n  want \(plain)")
        }
      }
    }
    print("\(name): \(count) strings, \(wrong) mismatches")
    #expect(wrong == 0 && count > 0)
  }
}
