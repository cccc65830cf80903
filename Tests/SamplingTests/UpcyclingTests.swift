import Foundation
import Models
import Sampling
import TestSupport
import Testing
import Values

/// Dense models as mixtures of experts.
@Suite(.machine) struct UpcyclingTests {
  private static func model(_ name: String) throws -> Model {
    try Model.load(Fixtures.path(name == "llama" ? "models/llama" : "architectures/\(name)"))
  }

  @Test(arguments: [("llama", "mixtral"), ("llama-yarn", "mixtral"), ("mistral", "mixtral"), ("qwen3", "qwen3_moe")])
  func withoutNoiseTheLogitsAreTheDenseModels(_ name: String, _ expected: String) throws {
    let dense = try Self.model(name)
    let sparse = try dense.upcycled(experts: 4, expertsPerToken: 2, seed: 3)
    #expect(sparse.architecture == expected && sparse.experts == 4 && sparse.expertsPerToken == 2)
    let prompt = Prompt.ids([5, 17, 33, 9, 40, 8, 7, 6])
    let (before, after) = (try dense.logits(prompt), try sparse.logits(prompt))
    #expect(largestDifference(before, after) < 1e-5)
    // And it is a model of its own: the router sends tokens to all experts, and noise changes what they say.
    let noisy = try dense.upcycled(experts: 4, expertsPerToken: 2, seed: 3, noise: 0.1)
    let moved = largestDifference(try noisy.logits(prompt), before)
    #expect(moved > 1e-3 && moved < 10)
    #expect(
      try noisy.logits(prompt) == dense.upcycled(experts: 4, expertsPerToken: 2, seed: 3, noise: 0.1).logits(prompt))
  }

  @Test func itSavesAndLoads() throws {
    let place = TemporaryPath()
    let sparse = try Self.model("llama").upcycled(experts: 3, expertsPerToken: 1, seed: 1, noise: 0.05)
    try sparse.save(place.path)
    let again = try Model.load(place.path)
    #expect(again.architecture == "mixtral" && again.expertsPerToken == 1)
    #expect(try again.logits(.ids([5, 6])) == sparse.logits(.ids([5, 6])))
  }

  @Test func mistakesAreErrors() throws {
    func message(_ name: String, experts: Int = 4, perToken: Int = 2) throws -> String {
      let model = try Self.model(name)
      return try #require(throws: GRAOError.self) {
        try model.upcycled(experts: experts, expertsPerToken: perToken)
      }.message
    }
    #expect(try message("olmo2").hasSuffix("'olmo2' cannot be upcycled: expected llama, mistral or qwen3"))
    #expect(try message("llama-bias").contains("'attention_bias' is true: mixtral has no biases"))
    #expect(try message("llama", perToken: 5) == "upcycling needs two experts or more, and 1 to 4 per token")
  }
}
