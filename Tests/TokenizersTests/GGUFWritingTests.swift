import Testing
import Tokenizers
import Values

/// Tokenizers as metadata of a GGUF file: made again of it they are the same.
@Suite struct GGUFWritingTests {
  @Test(arguments: Fixtures.byteLevelStyles + ["spm-bpe"]) func writtenAndReadTheyAreTheSame(style: String) throws {
    let original = try Fixtures.tokenizer(style)
    let metadata = try original.ggufMetadata()
    let again = try Tokenizer(ggufMetadata: metadata, source: "written")
    try Fixtures.goldens(style).check(again, style)
    #expect(again.eosTokenID == original.eosTokenID)
    // And what is made of that is the same metadata, save the order of its keys.
    #expect(try Value.table(again.ggufMetadata()) == .table(metadata))
  }

  @Test func stagesAreRecognised() throws {
    let names = ["gpt2": "gpt-2", "smollm": "smollm", "qwen2": "qwen2", "llama3": "llama-bpe"]
    for (style, name) in names {
      #expect(try Fixtures.tokenizer(style).ggufMetadata()["tokenizer.ggml.pre"] == .string(name))
    }
    #expect(try Fixtures.tokenizer("spm-bpe").ggufMetadata()["tokenizer.ggml.model"] == "llama")
  }

  @Test func stopsAreWritten() throws {
    let tokenizer = try Fixtures.tokenizer("qwen2")
    let end = Int(try #require(tokenizer.eosTokenID))
    let metadata = try tokenizer.ggufMetadata(stops: [3, end, 5, 1 << 40])
    #expect(metadata["tokenizer.ggml.eos_token_id"] == .integer(end))
    #expect(metadata["tokenizer.ggml.eot_token_id"] == 3 && metadata["tokenizer.ggml.eom_token_id"] == 5)
  }

  @Test(arguments: [
    ("unigram", "of the type Unigram"), ("word-piece", "of the type WordPiece"), ("prefix-bpe", "none that llama.cpp"),
  ])
  func whatLlamaCppLacksIsNamed(style: String, expected: String) throws {
    let tokenizer = try Fixtures.tokenizer(style)
    let error = #expect(throws: GRAOError.self) { try tokenizer.ggufMetadata() }
    #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
  }

  /// An added token may say any number for its id, which loading does not look at.
  @Test(arguments: [Int.max, .min, -1, 1 << 40]) func idsThatNoListHas(id: Int) throws {
    let file = try #require(Fixtures.tokenizer("gpt2").files().first { $0.name == "tokenizer.json" })
    var json = try #require(JSON.parse(file.bytes, source: file.name).table)
    json["added_tokens"] = [["id": .integer(id), "content": "<x>", "special": true]]
    let tokenizer = try Tokenizer(json: .table(json), config: nil, source: "test")
    let error = #expect(throws: GRAOError.self) { try tokenizer.ggufMetadata() }
    #expect(error?.message == "the tokenizer's ids are not those of a list of tokens")
  }
}
