import Foundation
import Testing
import Tokenizers
import Values

/// Ids and text are HF tokenizers' with vocabularies as they were published, by what Tests/Oracles/make_real_goldens.py
/// wrote: here over as much of each as the texts reach, and over the whole ones where
/// `GRAO_REAL_TOKENIZERS` names the folder of Tests/Oracles/real_tokenizers.py.
@Suite struct RealVocabularyTests {
  private static let folder = Fixtures.folder + "/real"
  private static let wholes = ProcessInfo.processInfo.environment["GRAO_REAL_TOKENIZERS"]

  static let names: [String] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.filter { $0.hasSuffix(".json") && $0 != "texts.json" && $0 != "nmt_nfkc.json" }.map {
      String($0.dropLast(5))
    }.sorted()
  }()

  @Test func noneIsMissing() {
    #expect(Self.names.count == 21 && Self.names.contains("anthropic") && Self.names.contains("smollm2"))
  }

  @Test(arguments: names) func goldens(name: String) throws {
    let goldens = try RealGoldens(name)
    try goldens.check(Tokenizer(json: goldens.tokenizer, config: nil, source: name), places: goldens.places, name)
  }

  /// The whole tokenizer.json, and the GGUF file's metadata that it was derived from.
  @Test(.enabled(if: wholes != nil), arguments: names) func wholeVocabulary(name: String) throws {
    let folder = try #require(Self.wholes) + "/" + name
    let goldens = try RealGoldens(name)
    try goldens.check(Tokenizer.load(directory: folder), places: nil, name)
    guard FileManager.default.fileExists(atPath: folder + "/gguf.json") else { return }
    let metadata = try #require(Fixtures.json(folder + "/gguf.json").table)
    try goldens.check(Tokenizer(ggufMetadata: metadata, source: name), places: nil, "\(name), GGUF")
  }
}

/// One vocabulary's goldens.
struct RealGoldens {
  let tokenizer: Value
  /// The real ids of the small tokenizer's places, where the two differ.
  let places: [Int32]?
  private let golden: Value
  private let texts: [String]

  init(_ name: String) throws {
    let folder = Fixtures.folder + "/real"
    golden = try Fixtures.json("\(folder)/\(name).json")
    tokenizer = try Self.tokenizer(golden)
    let shared = try #require(Fixtures.json("\(folder)/texts.json").array)
    texts = try (shared + #require(golden["texts"]?.array)).map { try #require($0.string) }
    places = try golden["places"]?.array.map { try $0.map { Int32(try #require($0.integer)) } }
  }

  /// The small tokenizer.json in a fixture, with SentencePiece's table of replacements, of which one file is there.
  static func tokenizer(_ golden: Value) throws -> Value {
    var tokenizer = try #require(golden["tokenizer"]?.table)
    func filled(_ stage: Value) throws -> Value {
      guard stage["precompiled_charsmap"] != nil, var table = stage.table else { return stage }
      table["precompiled_charsmap"] = try Fixtures.json("\(Fixtures.folder)/real/nmt_nfkc.json")
      return .table(table)
    }
    if var normalizer = tokenizer["normalizer"]?.table {
      if let stages = normalizer["normalizers"]?.array { normalizer["normalizers"] = .array(try stages.map(filled)) }
      tokenizer["normalizer"] = try filled(.table(normalizer))
    }
    return .table(tokenizer)
  }

  /// - Parameter places: the real id of every id of `tokenizer`; nil where it has the real ones.
  func check(_ tokenizer: Tokenizer, places: [Int32]?, _ name: String) throws {
    func ids(_ value: Value?) throws -> [Int32] { try #require(value?.array).map { Int32(try #require($0.integer)) } }
    func real(_ ids: [Int32]) -> [Int32] { places.map { places in ids.map { places[Int($0)] } } ?? ids }
    let placeOf = Dictionary(uniqueKeysWithValues: (places ?? []).enumerated().map { ($1, Int32($0)) })
    func own(_ ids: [Int32]) -> [Int32] { places == nil ? ids : ids.map { placeOf[$0] ?? -1 } }
    func check(_ text: String, _ expected: String, _ what: @autoclosure () -> String) {
      #expect(text.utf8.elementsEqual(expected.utf8), "\(name): \(what())")
    }

    let before = try ids(golden["before"])
    let after = try ids(golden["after"])
    let rows = try #require(golden["ids"]?.array)
    #expect(rows.count == texts.count && texts.count > 50)
    for (index, text) in texts.enumerated() {
      let plain = try tokenizer.encode(text, addSpecialTokens: false)
      #expect(try real(plain) == ids(rows[index]), "\(name): \(text.debugDescription)")
      let whole = try tokenizer.encode(text)
      #expect(try real(whole) == before + ids(rows[index]) + after, "\(name): \(text.debugDescription)")
      check(tokenizer.decode(whole), golden["decoded"]?.array?[index].string ?? text, text.debugDescription)
      let all = tokenizer.decode(plain, skipSpecialTokens: false)
      check(all, golden["all"]?.array?[index].string ?? text, text.debugDescription)
    }
    for list in try #require(golden["lists"]?.array) {
      let given = try own(ids(list["ids"]))
      check(tokenizer.decode(given), try #require(list["decoded"]?.string), "\(given)")
      check(tokenizer.decode(given, skipSpecialTokens: false), try #require(list["all"]?.string), "\(given)")
    }
    for value in try #require(golden["megabytes"]?.array) {
      let character = try #require(value["character"]?.string)
      let text = String(repeating: character, count: (1 << 20) / character.utf8.count)
      let found = try tokenizer.encode(text, addSpecialTokens: false)
      #expect(found.count == value["count"]?.integer, "\(name): \(character.debugDescription)")
      if let sum = value["ids"]?.integer {
        #expect(real(found).withUnsafeBytes(Checksum.crc32) == sum, "\(name): \(character.debugDescription)")
      }
      let decoded = Array(tokenizer.decode(found, skipSpecialTokens: false).utf8)
      #expect(
        decoded.withUnsafeBytes(Checksum.crc32) == value["decoded"]?.integer, "\(name): \(character.debugDescription)")
    }
  }
}
