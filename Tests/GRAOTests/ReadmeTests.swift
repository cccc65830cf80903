import Foundation
import GRAO
import Testing

@Suite struct ReadmeTests {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  @Test func theExampleLearns() throws {
    let model = try learnToAdd(tokenizer: Self.root.path + "/scripts/arithmetic-tokenizer")
    var options = GenerationOptions()
    options.temperature = 0
    options.maxNewTokens = 4
    let sums = (1...4).flatMap { a in (1...4).map { b in (a, b) } }
    let answers = try model.generate(sums.map { .text("\($0.0)+\($0.1)=") }, options).map { $0[0].text }
    // All of them where this was written; kernels of other machines round differently.
    #expect(zip(answers, sums).count { $0 == "\($1.0 + $1.1)" } >= 12, "\(answers)")
  }

  /// All that an embedding program needs comes with `import GRAO`: element types, too.
  @Test func savingAndLoading() throws {
    let tokenizer = try Tokenizer.load(directory: Self.root.path + "/scripts/arithmetic-tokenizer")
    let config: Table = [
      "model_type": "llama", "vocab_size": 80, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1,
      "num_attention_heads": 2,
    ]
    let model = try Model(configuration: config, tokenizer: tokenizer)
    let path = FileManager.default.temporaryDirectory.appending(path: "grao-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try model.save(path, elementType: .bfloat16)
    let again = try Model.load(path)
    #expect(again.parameterCount == model.parameterCount && again.tokenizer?.eosTokenID == 1)
    #expect(try again.logits("1+1=") != model.logits("1+1="))
    try model.save(path, elementType: ElementType.float32)
    #expect(try Model.load(path).logits("1+1=") == model.logits("1+1="))
  }

  /// The README quotes the program that the test above runs.
  @Test func theReadmeQuotesTheExample() throws {
    let source = try String(
      contentsOf: Self.root.appending(path: "Tests/GRAOTests/ReadmeExample.swift"), encoding: .utf8)
    let parts = source.split(separator: "// example begin\n").last?.split(separator: "// example end\n")
    let example = try #require(parts?.first, "ReadmeExample.swift needs its two markers")
    #expect(example.count { $0.isNewline } <= 30)
    let readme = try String(contentsOf: Self.root.appending(path: "README.md"), encoding: .utf8)
    #expect(readme.contains("```swift\n\(example)```\n"), "README.md must quote Tests/GRAOTests/ReadmeExample.swift")
  }
}
