import Testing
import Tokenizers
import Values

/// Ids and text are those of HF tokenizers.
@Suite struct GoldenTests {
  @Test(arguments: Fixtures.styles) func trainedTokenizers(style: String) throws {
    let goldens = try Fixtures.goldens(style)
    #expect(goldens.encoded.count > 100 && goldens.decoded.count == 60)
    try goldens.check(Fixtures.tokenizer(style), style)
  }

  /// Cutting, added tokens' flags, unknown tokens and merges, one small tokenizer for each.
  @Test func features() throws {
    let cases = try #require(Fixtures.json("\(Fixtures.folder)/features.json").array)
    #expect(cases.count == 179)
    for value in cases {
      let name = try #require(value["name"]?.string)
      let tokenizer = try Tokenizer(json: #require(value["tokenizer"]), config: nil, source: name)
      try Goldens(value).check(tokenizer, name)
    }
  }

  /// Words as long as a text. (Checksums stand for ids and text.)
  @Test func megabytesOfOneCharacter() throws {
    let cases = try #require(Fixtures.json("\(Fixtures.folder)/megabytes.json").array)
    #expect(cases.count == 5 * Fixtures.styles.count)
    for style in Fixtures.styles {
      let tokenizer = try Fixtures.tokenizer(style)
      for value in cases where value["tokenizer"]?.string == style {
        let character = try #require(value["character"]?.string)
        let ids = try tokenizer.encode(String(repeating: character, count: (1 << 20) / character.utf8.count))
        let name = "\(style): \(character.debugDescription)"
        #expect(ids.count == value["count"]?.integer, "\(name)")
        #expect(ids.withUnsafeBytes(Checksum.crc32) == value["ids"]?.integer, "\(name)")
        let text = Array(tokenizer.decode(ids, skipSpecialTokens: false).utf8)
        #expect(text.withUnsafeBytes(Checksum.crc32) == value["decoded"]?.integer, "\(name)")
      }
    }
  }

  /// The quickstart's tokenizer.
  @Test func arithmetic() throws {
    let tokenizer = try Tokenizer.load(directory: "\(Fixtures.repository)/scripts/arithmetic-tokenizer")
    try Goldens(Fixtures.json("\(Fixtures.folder)/arithmetic.json")).check(tokenizer, "arithmetic")
    #expect(tokenizer.vocabularySize <= 128)
    #expect(tokenizer.eosTokenID == tokenizer.id(of: "<eos>") && tokenizer.eosTokenID != nil)
    let text = "(12 + 7) * 3 = 57\nOK, yes? <no>: 1-2/3."
    #expect(try tokenizer.decode(tokenizer.encode(text)) == text)
    #expect(try tokenizer.encode(text).count == text.count)
  }
}
