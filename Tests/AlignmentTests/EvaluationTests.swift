import Alignment
import Data
import Models
import Sampling
import TestSupport
import Testing
import Values

extension TrainerSuite {
  @Suite struct Evaluations {
    /// Greedy completions against references, by hand.
    @Test func winsTiesAndLosses() throws {
      let model = try Model.fixture("qwen3_moe")
      var samples: [RewardSample] = []
      // Against the reference's 0: the completions of rows 0 … 5 get 1, 0, −1, 1, 0, −1.
      let judge = Reward("judge", weight: .constant(2)) { sample in
        samples.append(sample)
        let number = sample.row["number"]?.integer ?? 0
        return sample.isReference ? 0 : Double(1 - number % 3)
      }
      var options = EvaluationOptions()
      options.generation.maxNewTokens = 4
      let result = try evaluate(model, on: dataset(), rewards: [judge], options)
      let third = 1.0 / 3
      #expect(result["win"] == .number(third) && result["tie"] == .number(third) && result["loss"] == .number(third))
      #expect(result["ras"] == .number(third) && result["ras_with_ties"] == .number(2 * third))
      #expect(result["reward_mean"] == 0)
      #expect(abs(try result.number("reward_std") - (8.0 / 3).squareRoot()) < 1e-15)
      #expect(result["gain"] == nil && result["nag"] == nil)
      #expect(samples.count == 12 && samples.allSatisfy { $0.step == 0 })
      // Greedy: what generate says.
      var greedy = options.generation
      greedy.temperature = 0
      let sampled = samples.filter { !$0.isReference }
      let expected = try model.generate(sampled.map { .ids(try ids($0.row["prompt"])) }, greedy)
      #expect(sampled.map(\.ids) == expected.map { $0[0].ids })
    }

    /// The model against itself: the same samples under the same seed, so nothing is gained; and against another.
    @Test func aBaselineIsPairedBySeed() throws {
      let model = try Model.fixture("llama")
      var options = EvaluationOptions()
      options.generation.maxNewTokens = 6
      options.generation.temperature = 1
      options.generation.samples = 3
      options.generation.seed = 5
      options.baseline = try Model.fixture("llama")
      let same = try evaluate(model, on: dataset(), rewards: [evenShare], options)
      #expect(same["gain"] == 0 && same["decline"] == 0 && same["nag"] == 0)
      #expect(same["samples"] == 18 && same["paired"] == 18 && same["compared"] == 18)

      options.baseline = try Model.fixture("qwen3_moe")
      let other = try evaluate(model, on: dataset(), rewards: [evenShare], options)
      #expect(try other.number("gain") + other.number("decline") > 0)
      #expect(try other.number("nag") == other.number("gain") - other.number("decline"))
      #expect(other["reward_mean"] == same["reward_mean"])
      let again = try evaluate(model, on: dataset(), rewards: [evenShare], options)
      #expect(again.keys.allSatisfy { again[$0] == other[$0] })
      options.generation.seed = 6
      #expect(try evaluate(model, on: dataset(), rewards: [evenShare], options)["reward_mean"] != other["reward_mean"])
    }

    @Test func rowsWithoutAReferenceAreNotCompared() throws {
      let plain = try dataset(2).map {
        var row = $0
        row["reference"] = nil
        return row
      }
      var options = EvaluationOptions()
      options.generation.maxNewTokens = 3
      let result = try evaluate(Model.fixture("llama"), on: plain, rewards: [evenShare], options)
      #expect(result["compared"] == 0 && result["win"] == nil && result["samples"] == 2)
    }

    @Test func mistakes() throws {
      let model = try Model.fixture("llama")
      #expect(
        try message { try evaluate(model, on: dataset(), rewards: []) }
          == "grao.evaluate: option 'rewards' is empty: at least one is needed")
      let broken = Reward("judge") { $0.row["number"] == 1 ? .nan : 1 }
      var options = EvaluationOptions()
      options.generation.maxNewTokens = 2
      #expect(
        try message { try evaluate(model, on: dataset(), rewards: [broken], options) }
          == "reward 'judge' returned nan, which is not a finite number")
      options.onRewardError = .skip
      let skipped = try evaluate(model, on: dataset(), rewards: [broken], options)
      #expect(skipped["samples"] == 5 && skipped["excluded"] == 1)
      try model.close()
      #expect(try message { try evaluate(model, on: dataset(), rewards: [broken]) } == "the model has been closed")
    }

    @Test func optionsOfScripts() throws {
      let model = Value.object(try Model.fixture("llama"))
      let data = Value.object(try dataset())
      final class Function: RewardScorer {
        func score(_ samples: [RewardSample]) -> [Result<RewardScore, any Error>] {
          samples.map { _ in .success(RewardScore(1)) }
        }
      }
      let options: Value = [
        "model": model, "baseline": model, "data": data, "rewards": [.object(Function())], "samples": 4, "seed": 9,
        "max_new_tokens": 7, "temperature": 0.5, "on_reward_error": "skip",
      ]
      let given = try #require(options.table)
      let read = try EvaluationOptions.read(given)
      #expect(read.options.generation.samples == 4 && read.options.generation.seed == 9)
      #expect(read.options.generation.maxNewTokens == 7 && read.options.generation.temperature == 0.5)
      #expect(read.options.baseline === read.model && read.options.onRewardError == .skip)
      #expect(read.rewards.map(\.name) == ["reward1"] && read.data.count == 6)
      var wrong = given
      wrong["sample"] = 4
      #expect(
        try message { try EvaluationOptions.read(wrong) }
          == "grao.evaluate: unknown option 'sample' (did you mean 'samples'?)")
      wrong = given
      wrong["data"] = nil
      #expect(
        try message { try EvaluationOptions.read(wrong) }
          == "grao.evaluate: option 'data' is missing: a dataset is required")
    }

    /// In a run, every other step.
    @Test func whileTraining() throws {
      let log = MetricsLog()
      let options = try graoOptions {
        $0.data = try dataset()
        $0.evaluationData = try dataset(3)
        $0.evaluateEvery = 2
        $0.steps = 4
      }
      let model = try Model.fixture("llama")
      try Trainer(model, options).run(observer: log)
      #expect(log.steps.map { $0["eval/reward_mean"] != nil } == [false, true, false, true])
      var evaluation = EvaluationOptions()
      evaluation.generation.maxNewTokens = 6
      let after = try evaluate(model, on: dataset(3), rewards: [evenShare], evaluation)
      for (name, value) in after { #expect(log.steps.last?["eval/" + name] == value, "\(name)") }
      // Looking does not disturb: without evaluations the weights are the same.
      var blind = options
      blind.evaluateEvery = nil
      let other = try Model.fixture("llama")
      try Trainer(other, blind).run()
      #expect(other.bits == model.bits)
    }
  }
}
