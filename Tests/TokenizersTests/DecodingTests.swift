import Testing
import Tokenizers
import Values

@Suite struct DecodingTests {
  /// Without a normalizer and without tokens that swallow white space, no byte is lost.
  @Test(arguments: ["gpt2", "smollm", "llama3"]) func roundTrip(style: String) throws {
    let tokenizer = try Fixtures.tokenizer(style)
    for golden in try Fixtures.goldens(style).encoded {
      let ids = try tokenizer.encode(golden.text, addSpecialTokens: false)
      #expect(tokenizer.decode(ids, skipSpecialTokens: false).utf8.elementsEqual(golden.text.utf8))
      #expect(ids.compactMap { tokenizer.bytes(of: $0) }.joined().elementsEqual(golden.text.utf8))
    }
  }

  /// At every token, what came out and what is held is what decoding makes of the tokens so far; what came out ends with
  /// no half character and is never taken back.
  private func isStreamed(_ ids: [Int32], by tokenizer: Tokenizer, skipsSpecial: Bool) -> Bool {
    var decoder = StreamingDecoder(tokenizer, skipSpecialTokens: skipsSpecial)
    let whole = Array(tokenizer.decode(ids, skipSpecialTokens: skipsSpecial).utf8)
    var text: [UInt8] = []
    for (index, id) in ids.enumerated() {
      text += decoder.feed(id).utf8
      let prefix = tokenizer.decode(ids[...index], skipSpecialTokens: skipsSpecial).utf8
      guard whole.starts(with: text), prefix.elementsEqual(text + decoder.held.utf8) else { return false }
    }
    return text + Array(decoder.finish().utf8) == whole
  }

  @Test(arguments: Fixtures.styles, [true, false]) func streaming(style: String, skipsSpecial: Bool) throws {
    let tokenizer = try Fixtures.tokenizer(style)
    let goldens = try Fixtures.goldens(style)
    for ids in goldens.encoded.map(\.ids) + goldens.decoded.map(\.ids) {
      #expect(isStreamed(ids, by: tokenizer, skipsSpecial: skipsSpecial), "\(ids)")
    }
  }

  /// So it is for any tokens, half of them parts of characters, with every decoder that a fixture has.
  @Test func streamingOfRandomTokens() throws {
    var tokenizers = try Fixtures.styles.map { ($0, try Fixtures.tokenizer($0)) }
    for value in try #require(Fixtures.json("\(Fixtures.folder)/features.json").array) {
      let name = try #require(value["name"]?.string)
      tokenizers.append((name, try Tokenizer(json: #require(value["tokenizer"]), config: nil, source: name)))
    }
    for name in RealVocabularyTests.names {
      tokenizers.append((name, try Tokenizer(json: RealGoldens(name).tokenizer, config: nil, source: name)))
    }
    var stream = RandomStream(seed: 9)
    var broken = 0
    for (name, tokenizer) in tokenizers {
      let ids = (0..<Int32(tokenizer.vocabularySize)).filter { tokenizer.token(of: $0) != nil }
      let parts = ids.filter { id in
        tokenizer.token(of: id)?.hasPrefix("<0x") == true
          || tokenizer.bytes(of: id).map { String(validating: $0, as: UTF8.self) == nil } == true
      }
      for round in 0..<40 {
        let list = (0..<stream.integer(below: 24)).map { _ in
          let pool = !parts.isEmpty && stream.integer(below: 2) == 0 ? parts : ids
          return pool[stream.integer(below: pool.count)]
        }
        if tokenizer.decode(list).contains("\u{FFFD}") { broken += 1 }
        #expect(isStreamed(list, by: tokenizer, skipsSpecial: round % 2 == 0), "\(name): \(list)")
      }
    }
    #expect(tokenizers.count > 210 && broken > 300)
  }

  /// The characters of real texts come out whole, whatever tokens they are cut into.
  @Test(arguments: RealVocabularyTests.names) func wholeCharacters(name: String) throws {
    let tokenizer = try Tokenizer(json: RealGoldens(name).tokenizer, config: nil, source: name)
    for text in try #require(Fixtures.json("\(Fixtures.folder)/real/texts.json").array) {
      let ids = try tokenizer.encode(#require(text.string), addSpecialTokens: false)
      var decoder = StreamingDecoder(tokenizer, skipSpecialTokens: false)
      let pieces = ids.map { decoder.feed($0) } + [decoder.finish()]
      let whole = tokenizer.decode(ids, skipSpecialTokens: false)
      #expect(pieces.joined().utf8.elementsEqual(whole.utf8))
      let halves = pieces.reduce(0) { $0 + $1.unicodeScalars.count { $0 == "\u{FFFD}" } }
      #expect(halves == whole.unicodeScalars.count { $0 == "\u{FFFD}" }, "\(name): \(pieces)")
    }
  }

  /// A run of byte tokens is text as a whole or not at all; a stop string that it would end in is seen in what is held.
  @Test func byteTokens() throws {
    let tokenizer = try Fixtures.tokenizer("spm-bpe")
    func ids(_ bytes: [String]) throws -> [Int32] { try bytes.map { try #require(tokenizer.id(of: "<0x\($0)>")) } }
    let a = try #require(tokenizer.id(of: "a"))
    var decoder = StreamingDecoder(tokenizer)
    #expect(try (ids(["F0", "9F", "98", "80"]) + [a]).map { decoder.feed($0) } == ["", "", "", "", "😀a"])
    decoder = StreamingDecoder(tokenizer)
    #expect(try ids(["0A"]).map { decoder.feed($0) } == [""] && decoder.held == "\n")
    #expect(try (ids(["FF"]) + [a]).map { decoder.feed($0) } == ["", "\u{FFFD}\u{FFFD}a"])
  }

  /// A character in four tokens appears with the last; one that breaks off appears as U+FFFD with what follows it.
  @Test func halfCharacters() throws {
    let tokenizer = try Fixtures.tokenizer("gpt2")
    func ids(_ bytes: [UInt8]) throws -> [Int32] {
      try bytes.map { byte in
        try #require((0..<Int32(tokenizer.vocabularySize)).first { tokenizer.bytes(of: $0) == [byte] })
      }
    }
    var decoder = StreamingDecoder(tokenizer)
    #expect(try ids([0xF0, 0x9F, 0x98, 0x80]).map { decoder.feed($0) } == ["", "", "", "😀"])
    #expect(decoder.finish() == "")
    #expect(try ids([0xE2, 0x82, 0x41, 0xE2]).map { decoder.feed($0) } == ["", "", "\u{FFFD}A", ""])
    #expect(decoder.finish() == "\u{FFFD}")
    // No character starts with E0 80, ED A0, F0 80 or F4 90: nothing to wait for.
    for bytes in [[0xE0, 0x80], [0xED, 0xA0], [0xF0, 0x80], [0xF4, 0x90]] as [[UInt8]] {
      var decoder = StreamingDecoder(tokenizer)
      #expect(try ids(bytes).map { decoder.feed($0) } == ["", "\u{FFFD}\u{FFFD}"])
    }
  }

  @Test func idsOfNoToken() throws {
    let tokenizer = try Fixtures.tokenizer("gpt2")
    let size = Int32(tokenizer.vocabularySize)
    #expect(tokenizer.decode([-1, size, .max, .min]) == "")
    for id in [-1, size, .max, .min] as [Int32] {
      #expect(tokenizer.bytes(of: id) == nil)
      #expect(tokenizer.token(of: id) == nil)
      #expect(!tokenizer.isSpecial(id))
    }
    for id in 0..<size { #expect(tokenizer.id(of: try #require(tokenizer.token(of: id))) == id) }
  }
}
