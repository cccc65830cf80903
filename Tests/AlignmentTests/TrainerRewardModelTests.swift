import Data
import Models
import Sampling
import TestSupport
import Testing
import Values

@testable import Alignment

extension TrainerSuite {
  /// Reward models: trained, saved as transformers' classifiers, loaded, and used as a reward.
  @Suite struct RewardModels {
    /// Pairs whose chosen response has even ids.
    static func pairs(_ count: Int = 8) throws -> Dataset {
      let rows = (0..<count).map { row in
        func ids(_ offset: Int) -> Value {
          .array((0..<(2 + row % 3)).map { .integer(4 + (2 * (7 * row + 5 * $0)) % 80 + offset) })
        }
        return Table([("prompt", Value.array([.integer(3 + row)])), ("chosen", ids(0)), ("rejected", ids(1))])
      }
      return try Dataset(rows: rows, source: "pairs")
    }

    static func options(_ change: (inout TrainingOptions) throws -> Void = { _ in }) throws -> TrainingOptions {
      var options = TrainingOptions(method: .reward)
      options.data = try pairs()
      options.promptsPerStep = 8
      options.optimizer.learningRate = .constant(3e-3)
      options.steps = 30
      try change(&options)
      return options
    }

    @Test(arguments: ["llama", "llama_tied", "qwen3_moe"]) func trainsSavesAndScores(_ name: String) throws {
      let model = try Model.fixture(name)
      var metrics: [Table] = []
      try Trainer(
        model,
        Self.options {
          $0.onStep = {
            metrics.append($0.metrics)
            return true
          }
        }
      ).run()
      let last = try #require(metrics.last)
      #expect(try last.number("accuracy") == 1)
      #expect(try last.number("loss") < 0.1)
      #expect(try last.number("margin") > 2)
      #expect(last["entropy"] == nil)

      let folder = TemporaryPath()
      try model.save(folder.path)
      let config = try folder.json("config.json")
      let family = name.hasPrefix("llama") ? "Llama" : "Qwen3Moe"
      #expect(config["architectures"] == [.string(family + "ForSequenceClassification")])
      #expect(config["id2label"] == ["0": "LABEL_0"])
      let loaded = try Model.load(folder.path)
      #expect(!loaded.network.savedTensors().contains { $0.tensor.name == "lm_head.weight" })
      let (prompt, completion) = (Prompt.ids([5, 6]), Response.ids([9, 12, 14]))
      let score = try model.score(of: completion, after: prompt)
      #expect(try loaded.score(of: completion, after: prompt) == score)

      // As a reward, for samples of one prompt and of others, in any order.
      let reward = try RewardModel(loaded)
      let samples: [([Int32], [Int32])] = [([5, 6], [9, 12, 14]), ([5, 6], [8]), ([7], [9, 12]), ([5, 6], [8])]
      let scores = reward.score(samples.map(Self.sample))
      #expect(try scores[0].get().value == Double(score))
      for (index, (prompt, ids)) in samples.enumerated() {
        #expect(try scores[index].get().value == Double(try loaded.score(of: .ids(ids), after: .ids(prompt))))
      }
      #expect(throws: GRAOError.self) { try reward.score([Self.sample(([5], [200]))])[0].get() }
    }

    static func sample(_ sequence: ([Int32], [Int32])) -> RewardSample {
      RewardSample(
        prompt: nil, completion: nil, reference: nil, promptIDs: sequence.0, ids: sequence.1, finishReason: .stop,
        row: Table(), step: 1, isReference: false)
    }

    /// A step's loss and head gradient follow from the scores, margins included.
    @Test func aStepWithMargins() throws {
      let model = try Model.load(Fixtures.path("classifiers/mixtral"))
      var options = try Self.options { $0.optimizer.learningRate = .constant(0) }
      options.rewardModel.centering = 0.1
      var group = Group(prompt: [5, 6])
      (group.chosen, group.rejected) = (EncodedResponse(ids: [9, 12], text: nil), EncodedResponse(ids: [8], text: nil))
      group.margin = 0.5
      let metrics = try Trainer(model, options).step([group])
      let w = Double(try model.score(of: .ids([9, 12]), after: .ids([5, 6])))
      let l = Double(try model.score(of: .ids([8]), after: .ids([5, 6])))
      let scored = ObjectiveGroup(
        sequences: [(SequenceTokens.Role.chosen, w), (.rejected, l)].map { role, score in
          var sequence = SequenceTokens(role: role, logp: [])
          sequence.values = [score]
          return sequence
        }, margin: 0.5)
      let expected = BradleyTerryObjective(centering: 0.1).evaluate(
        scored, in: ObjectiveBatch(groups: 1, sequences: 2, tokens: 3))
      #expect(try metrics.number("loss") == expected.loss)
      #expect(try metrics.number("margin") == w - l)
    }

    /// A policy that a reward model scores.
    @Test func asTheRewardOfARun() throws {
      let judge = try Model.fixture("llama")
      try Trainer(judge, Self.options()).run()
      let model = try Model.fixture("llama_tied")
      let options = try graoOptions([Reward(name: "judge", scorer: try RewardModel(judge))]) {
        $0.data = try dataset()
      }
      let metrics = try Trainer(model, options).run()
      #expect(try metrics.number("rewards/judge/mean").isFinite)
      #expect(try metrics.number("reward_std") > 0)
    }

    /// What stops its passes is the sample's failure, not a reward that does not apply.
    @Test func anInterruptedPassIsAFailure() throws {
      struct Interrupt: Error {}
      let reward = try RewardModel(try Model.load(Fixtures.path("classifiers/llama")))
      let sample = RewardSample(
        prompt: nil, completion: nil, reference: nil, promptIDs: [3, 4], ids: [5, 6], finishReason: .length,
        row: Table(),
        step: 1, isReference: false)
      #expect(try reward.score([sample])[0].get().value?.isFinite == true)
      reward.checkInterrupt = { throw Interrupt() }
      #expect(throws: Interrupt.self) { try reward.score([sample])[0].get() }
    }

    @Test func refusals() throws {
      let judge = try Model.load(Fixtures.path("classifiers/llama"))
      #expect(try message { try judge.generate([.ids([5])]) }.hasPrefix("the model scores sequences"))
      #expect(try message { try judge.logits(.ids([5])) }.hasPrefix("the model scores sequences"))
      #expect(try message { try RewardModel(try Model.fixture("llama")) }.hasPrefix("the model is not a reward model"))
      #expect(
        try message { try Trainer(try Model.fixture("llama"), Self.options { $0.normalization = .token }) }
          == "grao.train: option 'normalization' must be \"sequence\" with method reward: it scores whole responses")
      #expect(
        try message { try Trainer(try Model.fixture("llama"), Self.options { $0.kl.coefficient = .constant(1) }) }
          == "grao.train: option 'kl.coefficient' needs method grpo or ppo")
      #expect(
        try message {
          let group = Group(prompt: [5])
          return try Trainer(try Model.fixture("llama"), Self.options()).step([group])
        } == "group 1: method 'reward' needs a pair of responses, but the group has no 'chosen'")
    }
  }
}
