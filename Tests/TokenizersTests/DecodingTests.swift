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
  @Test(arguments: Fixtures.styles, [true, false]) func streaming(style: String, skipsSpecial: Bool) throws {
    let tokenizer = try Fixtures.tokenizer(style)
    let goldens = try Fixtures.goldens(style)
    for ids in goldens.encoded.map(\.ids) + goldens.decoded.map(\.ids) {
      var decoder = StreamingDecoder(tokenizer, skipSpecialTokens: skipsSpecial)
      let whole = Array(tokenizer.decode(ids, skipSpecialTokens: skipsSpecial).utf8)
      var text: [UInt8] = []
      for (index, id) in ids.enumerated() {
        text += decoder.feed(id).utf8
        #expect(whole.starts(with: text))
        let prefix = tokenizer.decode(ids[...index], skipSpecialTokens: skipsSpecial).utf8
        #expect(prefix.elementsEqual(text + decoder.held.utf8))
      }
      text += decoder.finish().utf8
      #expect(text == whole)
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
