import Alignment
import Foundation
import TestSupport
import Testing
import Values

/// ppo and the reward model's loss against torch's float64 autograd and TRL; Tests/Oracles/make_values.py.
struct PPOTests {
  private static func groups(_ example: Value) throws -> [ObjectiveGroup] {
    try #require(example["samples"]?.array).map { sample in
      var sequence = SequenceTokens(
        role: .sample, logp: try numbers(sample["logp"]), behaviour: try numbers(sample["behaviour"]),
        frozen: try numbers(sample["frozen"]), mask: try numbers(sample["mask"]).map { $0 != 0 },
        reward: sample["reward"]?.number)
      sequence.values = try numbers(sample["values"])
      let advantages = GeneralizedAdvantage(gamma: try example.number("gamma"), lambda: try example.number("lam"))
      sequence.estimate = advantages.estimate(
        rewards: sequence.tokenRewards(try example.number("coefficient"), .k1).rewards,
        values: try numbers(sample["old_values"]), isTrained: sequence.isTrained)
      return ObjectiveGroup(sequences: [sequence])
    }
  }

  private static func objective(_ example: Value) throws -> PPOObjective {
    let clip = try example.number("value_clip")
    return PPOObjective(
      ratio: RatioOptions(low: try example.number("low"), high: try example.number("high")),
      valueClip: clip > 0 ? clip : nil, valueCoefficient: try example.number("value_coefficient"),
      normalization: try #require(Normalization(rawValue: example["normalization"]?.string ?? "")))
  }

  @Test func golden() throws {
    let cases = try #require(try Fixtures.json("objectives/values.json")["ppo"]?.array)
    #expect(cases.count == 32)
    #expect(cases.count { $0["trl"] == true } >= 5, "TRL's own numbers")
    for example in cases {
      var groups = try Self.groups(example)
      if example["whiten"] == true { groups.whitenAdvantages() }
      let objective = try Self.objective(example)
      let batch = batch(of: groups, roles: objective.roles)
      let values = try groups.map { try objective.evaluate($0, in: batch) }
      for (index, group) in groups.enumerated() {
        let estimate = try #require(group.sequences[0].estimate)
        expectClose(estimate.advantages, try numbers(example["advantages"]?.array?[index]), within: 4e-15)
        expectClose(estimate.returns, try numbers(example["returns"]?.array?[index]), within: 2e-15)
        expectClose(values[index].gradient[0], try numbers(example["dlogp"]?.array?[index]), within: 2e-15)
        expectClose(values[index].valueGradient[0], try numbers(example["dvalues"]?.array?[index]), within: 2e-15)
      }
      #expect(abs(values.reduce(0) { $0 + $1.loss } - (try example.number("loss"))) < 2e-15)
    }
  }

  /// Both derivatives against central differences; and what is clipped is not always nothing.
  @Test func derivatives() throws {
    var (clippedRatios, clippedValues) = (0.0, 0.0)
    for example in try #require(try Fixtures.json("objectives/values.json")["ppo"]?.array) {
      let groups = try Self.groups(example)
      let objective = try Self.objective(example)
      let batch = batch(of: groups, roles: objective.roles)
      for group in groups {
        try checkGradient(objective, group, in: batch, step: 1e-6, tolerance: 1e-9)
        let value = try objective.evaluate(group, in: batch)
        for token in group.sequences[0].values.indices {
          func loss(_ change: Double) throws -> Double {
            var group = group
            group.sequences[0].values[token] += change
            return try objective.evaluate(group, in: batch).loss
          }
          let difference = try (loss(1e-6) - loss(-1e-6)) / 2e-6
          #expect(abs(value.valueGradient[0][token] - difference) < 1e-9)
        }
        for diagnostic in value.diagnostics {
          if diagnostic.name == "clip_ratio/region_mean" { clippedRatios += diagnostic.sum }
          if diagnostic.name == "val/clipfrac_avg" { clippedValues += diagnostic.sum }
        }
      }
    }
    #expect(clippedRatios > 10 && clippedValues > 10)
  }

  /// λ = 1 without values is the sum of what comes; λ = 0 the next step alone.
  @Test func extremesOfLambda() {
    let (rewards, values) = ([1.0, -2, 4], [0.5, 0.25, 1])
    let sums = GeneralizedAdvantage(gamma: 0.5, lambda: 1).estimate(rewards: rewards, values: [0, 0, 0])
    #expect(sums.returns == [1, 0, 4])
    let steps = GeneralizedAdvantage(gamma: 0.5, lambda: 0).estimate(rewards: rewards, values: values)
    #expect(steps.advantages == [0.625, -1.75, 3])
    #expect(steps.returns == zip(steps.advantages, values).map(+))
  }

  @Test func whitening() throws {
    var groups = [[3.0, -1, 2], [0.5]].map { advantages in
      var sequence = SequenceTokens(role: .sample, logp: advantages, reward: 1)
      sequence.estimate = ValueEstimate(values: advantages, advantages: advantages, returns: advantages)
      return ObjectiveGroup(sequences: [sequence])
    }
    groups.whitenAdvantages()
    let all = groups.flatMap { $0.sequences[0].estimate?.advantages ?? [] }
    #expect(abs(all.reduce(0, +)) < 1e-14)
    #expect(abs(all.reduce(0) { $0 + $1 * $1 } / 3 - 1) < 1e-7)
    #expect(groups[0].sequences[0].estimate?.returns == [3, -1, 2], "only advantages are whitened")
  }

  @Test func rewardModels() throws {
    let cases = try #require(try Fixtures.json("objectives/values.json")["reward"]?.array)
    #expect(cases.count == 8)
    for example in cases {
      let margins = try numbers(example["margins"])
      let scores = try zip(numbers(example["chosen"]), numbers(example["rejected"]))
      let groups = zip(scores, margins).map { scores, margin in
        let sequences = [(SequenceTokens.Role.chosen, scores.0), (.rejected, scores.1)].map { role, score in
          var sequence = SequenceTokens(role: role, logp: [])
          sequence.values = [score]
          return sequence
        }
        return ObjectiveGroup(sequences: sequences, margin: margin)
      }
      let objective = BradleyTerryObjective(centering: try example.number("centering"))
      let batch = batch(of: groups, roles: objective.roles)
      let values = groups.map { objective.evaluate($0, in: batch) }
      #expect(abs(values.reduce(0) { $0 + $1.loss } - (try example.number("loss"))) < 2e-15)
      expectClose(values.map { $0.valueGradient[0][0] }, try numbers(example["dchosen"]), within: 1e-15)
      expectClose(values.map { $0.valueGradient[1][0] }, try numbers(example["drejected"]), within: 1e-15)
      let accuracy = values.flatMap(\.diagnostics).filter { $0.name == "accuracy" }.reduce(0) { $0 + $1.sum }
      #expect(accuracy == Double(scores.count { $0.0 > $0.1 }))
    }
  }
}

extension Value {
  fileprivate func number(_ name: String) throws -> Double { try #require(self[name]?.number, "\(name)") }
}
