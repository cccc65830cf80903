import Foundation
import Kernels
import Models
import Sampling
import TestSupport
import Testing
import Tokenizers
import Values

@Suite(.machine) struct SamplerTests {
  static let models = ["llama", "llama_tied", "qwen3_moe"]
  static let prompts: [[Int32]] = [
    [5, 17, 33], [8], [90, 4, 4, 61, 12, 33, 7], Array(3..<45), [11, 12],
  ]

  static func model(_ name: String) throws -> Model { try Model.load(Fixtures.model(name)) }

  static func options(_ change: (inout GenerationOptions) -> Void = { _ in }) -> GenerationOptions {
    var options = GenerationOptions()
    options.samples = 3
    options.maxNewTokens = 12
    options.seed = 7
    change(&options)
    return options
  }

  static func generate(
    _ model: Model, _ prompts: [[Int32]] = Self.prompts, _ options: GenerationOptions = Self.options()
  ) throws -> [[Completion]] {
    try model.generate(prompts.map { .ids($0) }, options)
  }

  /// What sampling reports is, bit for bit, what the training pass computes: alone, with all samples of the prompt as
  /// one tree, and with all prompts in one batch.
  @Test(arguments: models) func samplerAndTrainerAgree(_ name: String) throws {
    let model = try Self.model(name)
    let completions = try Self.generate(model)
    let trees = zip(Self.prompts, completions).map { SequenceTree(prompt: $0, branches: $1.map(\.ids)) }
    let together = model.network.logProbabilities(trees).logp
    for (tree, (expected, logp)) in zip(trees, zip(completions, together)) {
      let asTree = model.network.logProbabilities([tree]).logp[0]
      for (index, completion) in expected.enumerated() {
        let alone = try model.logProbabilities(of: .ids(completion.ids), after: .ids(tree.prompt))
        #expect(completion.logprobs.map(\.bitPattern) == alone.map(\.bitPattern))
        #expect(completion.logprobs.map(\.bitPattern) == asTree[index].map(\.bitPattern))
        #expect(completion.logprobs.map(\.bitPattern) == logp[index].map(\.bitPattern))
      }
    }
  }

  @Test(arguments: models) func temperatureOfLogProbabilities(_ name: String) throws {
    let model = try Self.model(name)
    let completions = try Self.generate(
      model, Self.prompts,
      Self.options {
        $0.temperature = 0.7
        $0.logprobs = .temperature(0.7)
      })
    let trees = zip(Self.prompts, completions).map { SequenceTree(prompt: $0, branches: $1.map(\.ids)) }
    let trained = model.network.logProbabilities(trees, temperature: 0.7).logp
    for (expected, logp) in zip(completions, trained) {
      #expect(expected.map { $0.logprobs.map(\.bitPattern) } == logp.map { $0.map(\.bitPattern) })
    }
  }

  /// A completion depends on its prompt, its place and the seed, not on what is batched with it or on the threads.
  @Test(arguments: models) func completionsAreIndependent(_ name: String) throws {
    let model = try Self.model(name)
    let all = try Self.generate(model)
    let threads = Machine.threads
    defer { Machine.threads = threads }
    Machine.threads = threads == 1 ? 2 : 1
    let again = try Self.generate(model)
    for (first, second) in zip(all.joined(), again.joined()) {
      #expect(first.ids == second.ids)
      #expect(first.logprobs.map(\.bitPattern) == second.logprobs.map(\.bitPattern))
    }
    // Alone, the first prompt draws from the same streams.
    let alone = try Self.generate(model, [Self.prompts[0]])
    #expect(alone[0].map(\.ids) == all[0].map(\.ids))
    // More than run at once.
    let more = try Self.generate(model, Self.prompts, Self.options { $0.samples = 300 })
    #expect(zip(more, all).allSatisfy { $0.prefix(3).map(\.ids) == $1.map(\.ids) })
  }

  @Test(arguments: models) func seedsAndSamplesDiffer(_ name: String) throws {
    let model = try Self.model(name)
    let all = try Self.generate(model)
    #expect(Set(all.joined().map(\.ids)).count == all.joined().count)
    #expect(try Self.generate(model, Self.prompts, Self.options { $0.seed = 8 })[0].map(\.ids) != all[0].map(\.ids))
  }

  @Test(arguments: models) func greedyIsTransformers(_ name: String) throws {
    let model = try Self.model(name)
    let json = try Fixtures.json("models/\(name)/golden.json")
    for value in try #require(json["greedy"]?.array) {
      let prompt = try #require(value["prompt"]?.array).compactMap { $0.integer.map(Int32.init) }
      let expected = try #require(value["completion"]?.array).compactMap { $0.integer.map(Int32.init) }
      let greedy = try Self.generate(
        model, [prompt],
        Self.options {
          $0.temperature = 0
          $0.maxNewTokens = expected.count
          $0.samples = 1
        })
      #expect(greedy[0][0].ids == expected)
      #expect(greedy[0][0].finishReason == .length)
    }
  }

  /// Sampled frequencies of the first token against the model's probabilities.
  @Test func drawsFollowTheProbabilities() throws {
    let model = try Self.model("llama")
    let count = 4000
    let draws = try Self.generate(
      model, [[5, 17, 33]],
      Self.options {
        $0.samples = count
        $0.maxNewTokens = 1
      })[0].map { Int($0.ids[0]) }
    let logits = try model.logits(.ids([5, 17, 33])).map { exp(Double($0)) }
    let total = logits.reduce(0, +)
    var chi2 = 0.0
    var cells = 0
    for (token, weight) in logits.enumerated() where weight / total * Double(count) >= 5 {
      let expected = weight / total * Double(count)
      let seen = Double(draws.count { $0 == token })
      chi2 += (seen - expected) * (seen - expected) / expected
      cells += 1
    }
    #expect(cells > 3)
    // Far in the tail of chi-square with `cells` degrees of freedom.
    #expect(chi2 < Double(cells) + 5 * (2 * Double(cells)).squareRoot())
  }

  /// No token ends a completion where the configuration names none, whatever the tokenizer has.
  @Test func anEmptyEndOfSequence() throws {
    var config = try #require(Fixtures.json("models/llama/config.json").table)
    config["eos_token_id"] = []
    let tokenizer = try Tokenizer.load(directory: Fixtures.root + "/scripts/arithmetic-tokenizer")
    #expect(try Model(configuration: config, tokenizer: tokenizer).endOfSequence == [])
    config["eos_token_id"] = [:]
    #expect(try Model(configuration: config, tokenizer: tokenizer).endOfSequence == [])
    config["eos_token_id"] = "</s>"
    let error = try #require(throws: GRAOError.self) { try Model(configuration: config, tokenizer: tokenizer) }
    #expect(error.message.contains("must be an integer or an array of integers, not a string"))
    config["eos_token_id"] = nil
    #expect(
      try Model(configuration: config, tokenizer: tokenizer).endOfSequence == [try #require(tokenizer.eosTokenID)])
  }

  @Test func optionsOutOfRange() throws {
    func refusal(_ change: (inout GenerationOptions) -> Void) throws -> String {
      var options = GenerationOptions()
      change(&options)
      return try #require(throws: GRAOError.self) { try Self.model("llama").generate([.ids([5])], options) }.message
    }
    #expect(try refusal { $0.samples = -1 } == "option 'samples' must be from 1 to 1048576, not -1")
    #expect(try refusal { $0.samples = .max }.hasPrefix("option 'samples' must be "))
    #expect(try refusal { $0.maxNewTokens = 0 }.hasPrefix("option 'max_new_tokens' must be "))
    #expect(try refusal { $0.topK = 1 << 40 }.hasPrefix("option 'top_k' must be "))
    #expect(try refusal { $0.temperature = .nan } == "option 'temperature' must be 0 or more, not nan")
    #expect(try refusal { $0.topP = 2 } == "option 'top_p' must be from 0 to 1, not 2.0")
  }

  @Test func endOfSequenceAndContext() throws {
    let model = try Self.model("llama")
    let long = try Self.generate(
      model, [Array(3..<60)],
      Self.options {
        $0.maxNewTokens = 100
        $0.samples = 8
      })[0]
    for completion in long {
      let ended = completion.ids.last.map { model.endOfSequence.contains($0) } ?? false
      #expect(completion.finishReason == (ended ? .stop : .length))
      #expect(ended || completion.ids.count == model.contextLength - 57)
      #expect(!completion.ids.dropLast().contains { model.endOfSequence.contains($0) })
      #expect(completion.text == nil)
    }
  }

  @Test func badPromptsAreErrors() throws {
    let model = try Self.model("llama")
    for prompt: [Int32] in [[], [-1], [96], Array(repeating: 5, count: 64)] {
      #expect(throws: GRAOError.self) { try Self.generate(model, [prompt]) }
    }
    #expect(throws: GRAOError.self) { try model.generate([.text("words")]) }
    try model.close()
    #expect(throws: GRAOError.self) { try Self.generate(model) }
  }
}
