import Alignment
import Data
import Kernels
import Models
import Sampling
import TestSupport
import Testing
import Values

extension TrainerSuite {
  /// From what rewards say of completions to what a step makes of them.
  @Suite struct Rewards {
    struct Broken: Error {}

    /// A step of two prompts and three samples each with rewards that get the index of the call: reference last.
    static func rollout(
      _ rewards: [Reward], onError: RewardErrorPolicy = .stop, _ rows: [Table] = rows(2), groupSize: Int = 3
    ) throws -> [Group] {
      try trainer(rewards, onError: onError, groupSize: groupSize).rollout(rows)
    }

    static func trainer(
      _ rewards: [Reward], onError: RewardErrorPolicy = .stop, model: Model? = nil, groupSize: Int = 3
    ) throws -> Trainer {
      try Trainer(
        try model ?? Model.fixture("llama"),
        graoOptions(rewards) {
          $0.onRewardError = onError
          $0.groupSize = groupSize
        })
    }

    /// A reward that gives these values one after the other.
    static func reward(_ name: String, weight: Schedule = .constant(1), _ values: [Double?]) -> Reward {
      var calls = 0
      return Reward(name, weight: weight) { _ in
        defer { calls += 1 }
        return values[calls % values.count]
      }
    }

    @Test func whatARewardSees() throws {
      var samples: [RewardSample] = []
      let groups = try Self.rollout([
        Reward("watching") {
          samples.append($0)
          return $0.isReference ? 10 : Double($0.ids.count)
        }
      ])
      // Rows in order, their samples in order, the reference as one more.
      #expect(samples.map(\.isReference) == [false, false, false, true, false, false, false, true])
      #expect(samples.map { $0.row["number"] } == [0, 0, 0, 0, 1, 1, 1, 1])
      #expect(samples.map(\.ids) == groups.flatMap { $0.samples.map(\.ids) + [$0.reference ?? []] })
      #expect(samples.allSatisfy { $0.step == 1 })
      #expect(samples.allSatisfy { $0.isReference == false || $0.finishReason == .stop })
      // A model without a tokenizer has no text.
      #expect(samples.allSatisfy { $0.prompt == nil && $0.completion == nil && $0.reference == nil })
      #expect(groups.map(\.referenceReward) == [10, 10])
      for group in groups { #expect(group.samples.map(\.reward) == group.samples.map { Double($0.ids.count) }) }
    }

    @Test func weightsAndRewardsThatDoNotApply() throws {
      let rewards = [
        Self.reward("a", weight: .constant(2), [1, 2, nil, 4]),
        Self.reward("b", weight: .linear(from: 10, to: 30), [nil, 5, nil, 0.5]),
      ]
      let trainer = try Self.trainer(rewards)
      let groups = try trainer.rollout(rows(1))
      #expect(groups[0].samples.map(\.reward) == [2, 54, nil])
      #expect(groups[0].referenceReward == 13)
      #expect(groups[0].samples.map { $0.rewards.map(\.name) } == [["a"], ["a", "b"], []])
      #expect(groups[0].samples.allSatisfy { !$0.failed })

      let metrics = try trainer.step(groups)
      #expect(metrics["rewards/a/mean"] == 1.5 && metrics["rewards/a/std"] == 0.5)
      #expect(metrics["rewards/b/mean"] == 5 && metrics["rewards/b/std"] == 0)
      #expect(metrics["reward"] == 28 && metrics["reward_std"] == 26)
      #expect(metrics["frac_reward_zero_std"] == 0 && metrics["reference_reward"] == 13)
      #expect(metrics["samples/dropped"] == 1 && metrics["groups/dropped"] == 0)
      #expect(metrics["weights/a"] == 2 && metrics["weights/b"] == 10)

      // The sample that no reward applies to is not there: G is 2.
      var without = groups
      without[0].samples.remove(at: 2)
      let expected = try Self.trainer([]).step(without)
      #expect(metrics["loss"] == expected["loss"] && metrics["grad_norm"] == expected["grad_norm"])

      // The next step's weight is its own: linear over the 3 steps that were asked for.
      _ = try trainer.rollout(rows(1))
      #expect(try trainer.step(trainer.rollout(rows(1)))["weights/b"] == 20)
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity]) func notANumberStops(_ value: Double) throws {
      let rewards = [evenShare, Self.reward("judge", [1, 1, value, 1])]
      #expect(
        try message { try Self.rollout(rewards) } == "reward 'judge' returned \(value), which is not a finite number")
    }

    @Test func aRewardThatThrowsStops() throws {
      let judge = Reward("judge") { sample in
        if sample.isReference { throw Broken() }
        return 1
      }
      // The program's own errors arrive as they are.
      #expect(throws: Broken.self) { try Self.rollout([evenShare, judge]) }
      let offline = Reward("judge") { _ in throw GRAOError("no connection") }
      #expect(try message { try Self.rollout([offline]) } == "reward 'judge': no connection")
    }

    @Test(arguments: [true, false]) func skippingLeavesTheSampleOut(throwing: Bool) throws {
      // The second sample of each row fails.
      var calls = 0
      let judge = Reward("judge") { sample in
        guard sample.ids != Self.failing else {
          if throwing { throw Broken() }
          return .nan
        }
        calls += 1
        return Double(calls)
      }
      let plain = try Self.rollout([evenShare])
      Self.failing = plain[0].samples[1].ids
      let trainer = try Self.trainer([evenShare, judge], onError: .skip)
      let groups = try trainer.rollout(rows(2))
      #expect(groups[0].samples[1].reward == nil && groups[0].samples[1].failed)
      #expect(groups.flatMap(\.samples).count { $0.reward == nil } == 1, "the others keep their rewards")
      #expect(groups.flatMap(\.samples).count { $0.failed } == 1)
      #expect(groups.allSatisfy { $0.referenceReward != nil })
      let metrics = try trainer.step(groups)
      #expect(metrics["samples/dropped"] == 1 && metrics["groups/dropped"] == 0)

      var without = groups
      without[0].samples.remove(at: 1)
      let expected = try Self.trainer([]).step(without)
      #expect(metrics["loss"] == expected["loss"] && metrics["grad_norm"] == expected["grad_norm"])
      // As 0 it would have been another loss.
      var zero = groups
      zero[0].samples[1].reward = 0
      #expect(try Self.trainer([]).step(zero)["loss"] != metrics["loss"])
    }

    nonisolated(unsafe) static var failing: [Int32] = []

    @Test func aScorerThatGivesAnotherNumberOfScores() throws {
      final class Short: RewardScorer {
        let scoresBatches = true
        func score(_ samples: [RewardSample]) -> [Result<RewardScore, any Error>] {
          Array(repeating: .success(RewardScore(1)), count: samples.count - 1)
        }
      }
      let short = Reward(name: "short", scorer: Short())
      #expect(try message { try Self.rollout([short]) } == "reward 'short' gave 7 scores for 8 samples")
      let skipped = try Self.rollout([short], onError: .skip)
      #expect(skipped.flatMap(\.samples).allSatisfy { $0.failed && $0.reward == nil })
    }

    /// Scores all samples of a step: the number of the call, and the sample's place in it, as the value.
    private final class Batch: RewardScorer {
      let scoresBatches = true
      var calls: [Int] = []
      func score(_ samples: [RewardSample]) -> [Result<RewardScore, any Error>] {
        calls.append(samples.count)
        return samples.indices.map { index in
          if index == 6 { return .failure(GRAOError("too late")) }
          return .success(RewardScore(index == 1 ? nil : Double(index), numbers: ["calls": 1, "index": Double(index)]))
        }
      }
    }

    @Test func aBatchIsAStep() throws {
      let batch = Batch()
      let trainer = try Self.trainer(
        [evenShare, Reward(name: "batch", weight: .constant(3), scorer: batch)], onError: .skip)
      let groups = try trainer.rollout(rows(2))
      #expect(batch.calls == [8])
      let values = groups.map { group in
        (group.samples.map(\.rewards) + [group.referenceRewards]).map { $0.first { $0.name == "batch" }?.value }
      }
      #expect(values == [[0, nil, 2, 3], [4, 5, nil, 7]])
      #expect(groups[1].samples.map(\.failures) == [[], [], ["batch"]] && groups[0].samples[1].reward != nil)
      let metrics = try trainer.step(groups)
      #expect(metrics["rewards/batch/mean"] == 2.75 && metrics["rewards/batch/weighted_mean"] == 8.25)
      #expect(metrics["weights/batch"] == 3)
      #expect(metrics["rewards/batch/failed"] == 1 && metrics["rewards/\(evenShare.name)/failed"] == 0)
      // Means over the samples that have them, the reference not among them.
      #expect(metrics["rewards/batch/calls"] == 1 && metrics["rewards/batch/index"] == 2.4)
      #expect(
        try message { try Self.rollout([Reward(name: "batch", scorer: Batch())]) } == "reward 'batch': too late")
    }

    @Test func scoringStopsAtTheFirstFailure() throws {
      var calls = 0
      let reward = Reward("late") { _ in
        calls += 1
        if calls == 3 { throw GRAOError("enough") }
        return 1
      }
      #expect(try message { try Self.rollout([reward]) } == "reward 'late': enough")
      #expect(calls == 3)
    }

    @Test(arguments: [
      ("mean", 1.0, "reward 'logs' logs 'mean', which is a name of the engine's own"),
      ("x", .nan, "reward 'logs' logs 'x' as nan, which is not a finite number"),
    ])
    func whatARewardLogsIsChecked(_ key: String, _ number: Double, _ expected: String) throws {
      final class Logging: RewardScorer {
        let numbers: [String: Double]
        init(_ numbers: [String: Double]) { self.numbers = numbers }
        func score(_ samples: [RewardSample]) -> [Result<RewardScore, any Error>] {
          samples.map { _ in .success(RewardScore(1, numbers: numbers)) }
        }
      }
      #expect(
        try message { try Self.rollout([Reward(name: "logs", scorer: Logging([key: number]))]) } == expected)
    }

    @Test func groupsWithoutAReferencesRewardAreDropped() throws {
      let model = try Model.fixture("llama")
      let picky = Reward("picky") { sample in
        sample.isReference && sample.row["number"] == 0 ? nil : Double(sample.ids.count { $0 % 2 == 0 })
      }
      let trainer = try Self.trainer([picky], model: model, groupSize: 6)
      let groups = try trainer.rollout(rows(2))
      #expect(groups[0].referenceReward == nil && groups[1].referenceReward != nil)
      let metrics = try trainer.step(groups)
      #expect(metrics["groups/dropped"] == 1 && metrics["samples/dropped"] == 0)
      // The loss is the mean over the groups that are left.
      let alone = try Self.trainer([]).step([groups[1]])
      #expect(metrics["loss"] == alone["loss"] && metrics["grad_norm"] == alone["grad_norm"])
      #expect(try alone.number("grad_norm") > 0)
    }

    @Test func aStepWithoutGroupsChangesNothing() throws {
      let model = try Model.fixture("llama")
      let bits = model.bits
      let trainer = try Self.trainer([Reward("never") { _ in nil }], model: model)
      let groups = try trainer.rollout(rows(2))
      for step in [groups, []] {
        let metrics = try trainer.step(step)
        #expect(metrics["loss"] == 0 && metrics["grad_norm"] == 0)
        #expect(metrics["groups/dropped"] == .integer(step.count))
        for (name, value) in metrics { #expect(value.number?.isFinite == true, "\(name)") }
      }
      #expect(model.bits == bits)
      #expect(trainer.state.step == 2)
      // Samples without a reference's reward teach nothing; nor does a reference without samples.
      let sample = Group.Sample(ids: [5], reward: 1)
      let halves = [
        Group(prompt: [3], samples: [sample], reference: [4]), Group(prompt: [3], reference: [4], referenceReward: 1),
      ]
      #expect(try trainer.step(halves)["groups/dropped"] == 2)
      #expect(model.bits == bits)
    }

    /// All advantages 0, the gradient exactly 0; AdamW's decay goes on, on matrices alone.
    @Test(arguments: TrainerSuite.models) func equalRewardsTeachNothing(_ name: String) throws {
      let model = try Model.fixture(name)
      let before = model.network.parameters.parameters.map(model.network.parameters.value)
      let trainer = try Trainer(
        model,
        graoOptions([Reward("same") { _ in 0.1 + 0.2 }]) {
          $0.optimizer.learningRate = .constant(0.25)
          $0.optimizer.weightDecay = 0.5
        })
      let metrics = try trainer.step(trainer.rollout(rows(2)))
      for key in ["grad_norm", "loss", "exploration", "imitation", "regularizer", "reward_std"] {
        #expect(metrics[key] == 0, "\(key)")
      }
      #expect(metrics["frac_reward_zero_std"] == 1)
      for (parameter, before) in zip(model.network.parameters.parameters, before) {
        let after = model.network.parameters.value(parameter)
        // 1 − 0.25 · 0.5 is exact.
        #expect(after == (parameter.decays ? before.map { $0 * 0.875 } : before), "\(parameter.placement.tensor)")
      }
    }

    /// Where every sample fails and the reference does not, imitation teaches: its probability grows.
    @Test func aReferenceTeachesWhereEverySampleFails() throws {
      let model = try Model.fixture("llama")
      let reference: [Int32] = [40, 41]
      let row = Table([("prompt", .array([5, 6])), ("reference", .array(reference.map { .integer(Int($0)) }))])
      func likelihood() throws -> Float {
        try model.logProbabilities(of: .ids(reference), after: .ids([5, 6])).reduce(0, +)
      }
      let before = try likelihood()
      let trainer = try Self.trainer([Reward("exact") { $0.isReference ? 1 : 0 }], model: model)
      for _ in 0..<3 { _ = try trainer.step(trainer.rollout([row])) }
      #expect(try likelihood() > before)

      // Among the samples only, equal rewards give no advantage.
      let alone = try Trainer(
        Model.fixture("llama"),
        graoOptions([Reward("exact") { $0.isReference ? 1 : 0 }]) { $0.advantage.group = .samples })
      #expect(try alone.step(alone.rollout([row]))["grad_norm"] == 0)
    }
  }
}
