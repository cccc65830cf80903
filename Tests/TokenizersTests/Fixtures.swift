import Foundation
import Testing
import Tokenizers
import Values

/// What Tests/Fixtures/tokenizers/make.py wrote.
enum Fixtures {
  static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
  static let folder = repository + "/Tests/Fixtures/tokenizers"
  static let byteLevelStyles = ["gpt2", "smollm", "qwen2", "llama3"]
  static let styles =
    byteLevelStyles + [
      "unigram", "unigram-bytes", "spm-bpe", "spm-bpe-first", "word-piece", "suffix-bpe", "prefix-bpe",
    ]

  static func json(_ path: String) throws -> Value {
    try JSON.parse(Data(contentsOf: URL(fileURLWithPath: path)), source: path)
  }

  static func tokenizer(_ style: String) throws -> Tokenizer { try Tokenizer.load(directory: "\(folder)/\(style)") }

  static func goldens(_ style: String) throws -> Goldens { try Goldens(json("\(folder)/\(style)/goldens.json")) }
}

/// Texts and ids with what HF tokenizers makes of them.
struct Goldens {
  struct Encoded {
    var text: String
    var ids: [Int32]
    /// Without special tokens.
    var plain: [Int32]
    var decoded: String
    /// Decoded with the special tokens.
    var all: String
  }

  struct Decoded {
    var ids: [Int32]
    var decoded: String
    var all: String
  }

  var encoded: [Encoded] = []
  var decoded: [Decoded] = []

  init(_ value: Value) throws {
    func ids(_ value: Value, _ key: String) throws -> [Int32] {
      try #require(value[key]?.array).map { Int32(try #require($0.integer)) }
    }
    for value in try #require(value["encoded"]?.array) {
      encoded.append(
        Encoded(
          text: try #require(value["text"]?.string), ids: try ids(value, "ids"), plain: try ids(value, "plain"),
          decoded: try #require(value["decoded"]?.string), all: try #require(value["all"]?.string)))
    }
    for value in try #require(value["decoded"]?.array) {
      decoded.append(
        Decoded(
          ids: try ids(value, "ids"), decoded: try #require(value["decoded"]?.string),
          all: try #require(value["all"]?.string)))
    }
  }

  /// Expects of `tokenizer` all that HF's does.
  func check(_ tokenizer: Tokenizer, _ name: String) throws {
    for golden in encoded {
      #expect(try tokenizer.encode(golden.text) == golden.ids, "\(name): \(golden.text.debugDescription)")
      #expect(try tokenizer.encode(golden.text, addSpecialTokens: false) == golden.plain, "\(name)")
      check(tokenizer, Decoded(ids: golden.ids, decoded: golden.decoded, all: golden.all), name)
    }
    for golden in decoded { check(tokenizer, golden, name) }
  }

  private func check(_ tokenizer: Tokenizer, _ golden: Decoded, _ name: String) {
    #expect(tokenizer.decode(golden.ids).utf8.elementsEqual(golden.decoded.utf8), "\(name): \(golden.ids)")
    let all = tokenizer.decode(golden.ids, skipSpecialTokens: false)
    #expect(all.utf8.elementsEqual(golden.all.utf8), "\(name): \(golden.ids)")
  }
}

enum Checksum {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { sum, _ in sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0xEDB8_8320 }
  }

  /// CRC-32, that of zlib.
  static func crc32(_ bytes: UnsafeRawBufferPointer) -> Int {
    var sum = UInt32.max
    for byte in bytes { sum = table[Int((sum ^ UInt32(byte)) & 0xFF)] ^ sum >> 8 }
    return Int(~sum)
  }
}
