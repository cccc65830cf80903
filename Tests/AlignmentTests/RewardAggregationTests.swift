import Alignment
import TestSupport
import Testing
import Values

/// Several rewards, each normalised by itself and then summed, against PyTorch.
struct RewardAggregationTests {
  /// Groups whose members have these values: samples, the last one a reference where `reference`.
  private static func groups(_ rewards: [[[Double?]]], reference: Bool) -> [ObjectiveGroup] {
    rewards.map { members in
      ObjectiveGroup(
        sequences: members.enumerated().map { index, values in
          let isReference = reference && index == members.count - 1
          var sequence = SequenceTokens(role: isReference ? .reference : .sample, logp: [0], reward: 1)
          sequence.rewards = values
          return sequence
        })
    }
  }

  @Test(arguments: [false, true]) func golden(reference: Bool) throws {
    let cases = try #require(try Fixtures.json("objectives/gdpo.json").array)
    #expect(cases.count == 4)
    for golden in cases {
      let rewards = (golden["rewards"]?.array ?? []).map { ($0.array ?? []).map { ($0.array ?? []).map(\.number) } }
      let weights = (golden["weights"]?.array ?? []).compactMap(\.number)
      let expected = (golden["advantages"]?.array ?? []).flatMap { ($0.array ?? []).compactMap(\.number) }
      var groups = Self.groups(rewards, reference: reference)
      AdvantageOptions(group: reference ? .withReference : .samples).assign(to: &groups, weights: weights)
      expectClose(groups.flatMap { $0.sequences.map { $0.advantage ?? .nan } }, expected, within: 1e-13)
    }
  }

  @Test func aReferenceOutsideOfTheGroupIsMeasuredByIt() {
    // A: 1 and −1 (σ 1), y's 3 by the group's mean 0 and deviation 1; the second reward doubles it.
    var groups = Self.groups([[[1, 10], [-1, -10], [3, 30]]], reference: true)
    AdvantageOptions(group: .samples).assign(to: &groups, weights: [1, 1])
    #expect(groups[0].sequences.map(\.advantage) == [1, -1, 3])
    // With ε in both places: 2 / (1 + 1) and, of ±1 by 1 + 1.
    groups = Self.groups([[[2], [0]]], reference: false)
    AdvantageOptions(group: .samples, epsilon: 1).assign(to: &groups, weights: [2])
    #expect(groups[0].sequences.map(\.advantage) == [0.5, -0.5])
  }

  @Test func equalRewardsGiveZeros() {
    var groups = Self.groups(
      [[[0.1, nil], [0.1, 0.3], [0.1, nil]], [[5, 1], [5, 1], [5, 1]]], reference: false)
    AdvantageOptions(group: .samples).assign(to: &groups, weights: [1, 1])
    #expect(groups.flatMap { $0.sequences.map(\.advantage) } == Array(repeating: 0, count: 6))
    // One that varies somewhere leaves the others exactly 0.
    groups = Self.groups([[[0.1], [0.1], [0.1]], [[5], [6], [5]]], reference: false)
    AdvantageOptions(group: .samples).assign(to: &groups, weights: [1])
    #expect(groups[0].sequences.map(\.advantage) == [0, 0, 0])
  }

  @Test func whoHasNoRewardHasNoAdvantage() {
    var groups = Self.groups([[[1], [0], [7]]], reference: false)
    groups[0].sequences[2].reward = nil
    AdvantageOptions(group: .samples).assign(to: &groups, weights: [3])
    #expect(groups[0].sequences.map(\.advantage) == [1, -1, nil])
  }
}
