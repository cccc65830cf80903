import Alignment
import Testing
import Values

struct AdvantagesTests {
  @Test func byHand() {
    let root2 = 2.0.squareRoot()
    // Rewards 1, 0 and y's 1: μ = 2/3, σ = √2/3.
    let with = AdvantageOptions().advantages(samples: [1, 0], reference: 1)
    expectClose(
      with.samples + [with.reference ?? .nan], [1 / root2, -root2, 1 / root2], within: 1e-15)
    // The samples alone: μ = 1/2, σ = 1/2.
    let without = AdvantageOptions(group: .samples).advantages(samples: [1, 0], reference: 2)
    #expect(without.samples == [1, -1] && without.reference == 3)
    let centered = AdvantageOptions(scale: .none).advantages(samples: [3, 0], reference: 6)
    #expect(centered.samples == [0, -3] && centered.reference == 3)
    let damped = AdvantageOptions(group: .samples, epsilon: 0.5).advantages(samples: [1, 0], reference: 0)
    #expect(damped.samples == [0.5, -0.5] && damped.reference == -0.5)
  }

  @Test(arguments: [1, 2, 8, 64])
  func aQueryOnWhichEverySampleFailsStillTeaches(g: Int) {
    let failed = [Double](repeating: 0, count: g)
    let with = AdvantageOptions().advantages(samples: failed, reference: 1)
    // n = G + 1 rewards, one of them 1: Â_y = √G, Â_i = −1/√G.
    expectClose([with.reference ?? .nan], [Double(g).squareRoot()], within: 1e-14)
    expectClose(with.samples, failed.map { _ in -1 / Double(g).squareRoot() }, within: 1e-15)
    let without = AdvantageOptions(group: .samples).advantages(samples: failed, reference: 1)
    #expect(without.samples == failed && without.reference == 0)
  }

  @Test(arguments: AdvantageOptions.Group.allCases, AdvantageOptions.Scale.allCases)
  func exactlyEqualRewardsGiveZeros(group: AdvantageOptions.Group, scale: AdvantageOptions.Scale) {
    // The mean of seven times 0.1 is not 0.1.
    let options = AdvantageOptions(group: group, scale: scale)
    let result = options.advantages(samples: [Double](repeating: 0.1, count: 6), reference: 0.1)
    #expect(result.samples == [0, 0, 0, 0, 0, 0] && result.reference == 0)
  }

  @Test func rewardsThatBarelyDifferAreNotEqual() {
    for pair in [[1, 1.0.nextUp], [0, .leastNonzeroMagnitude], [1e-200, 2e-200], [1e150, -1e150]] {
      let result = AdvantageOptions(group: .samples).advantages(samples: pair, reference: pair[0])
      #expect(result.samples.allSatisfy { $0.isFinite }, "\(pair)")
      #expect(result.samples[0] != result.samples[1], "\(pair)")
    }
    let near = AdvantageOptions(group: .samples).advantages(samples: [1e9, 1e9 + 1e-3], reference: 1e9)
    expectClose(near.samples, [-1, 1], within: 1e-12)
  }

  @Test func standardizedAdvantagesHaveMeanZeroAndDeviationOne() {
    var stream = RandomStream(seed: 11)
    for _ in 0..<200 {
      let rewards = (0..<8).map { _ in 10 * stream.uniform() - 5 }
      let (samples, reference) = AdvantageOptions().advantages(samples: rewards, reference: stream.uniform())
      let y = reference ?? .nan
      // Over the group with y: Σ Â = 0, so Σ_i Â_i = −Â_y.
      expectClose([samples.reduce(0, +)], [-y], within: 1e-13)
      expectClose([(samples + [y]).reduce(0) { $0 + $1 * $1 } / 9], [1], within: 1e-14)
      // An affine change of rewards changes nothing.
      let changed = AdvantageOptions(group: .samples).advantages(samples: rewards.map { 3 * $0 + 7 }, reference: 0)
      let unchanged = AdvantageOptions(group: .samples).advantages(samples: rewards, reference: 0)
      expectClose(changed.samples, unchanged.samples, within: 1e-13)
    }
  }

  @Test func baselines() {
    // μ = 2; the others' means are 2.5, 2 and 1.5.
    let others = AdvantageOptions(group: .samples, baseline: .leaveOneOut, scale: .none)
    #expect(others.advantages(samples: [1, 2, 3], reference: nil).samples == [-1.5, 0, 1.5])
    #expect(others.advantages(samples: [7], reference: nil).samples == [0])
    // Rewards 1, 2, 3 and y's 6: the others' mean for y is 2.
    let with = AdvantageOptions(baseline: .leaveOneOut, scale: .none).advantages(samples: [1, 2, 3], reference: 6)
    expectClose(with.samples + [with.reference ?? .nan], [1 - 11.0 / 3, 2 - 10.0 / 3, 0, 4], within: 1e-15)
    let bare = AdvantageOptions(group: .samples, baseline: .none, scale: .none)
    #expect(bare.advantages(samples: [1, 2, 3], reference: nil).samples == [1, 2, 3])
    #expect(bare.advantages(samples: [2, 2], reference: nil).samples == [2, 2])
  }

  @Test func theBatchScalesAllGroupsAlike() {
    let groups = [[0.0, 2], [10, 10], [3, 5, 7]].map { rewards in
      ObjectiveGroup(sequences: rewards.map { SequenceTokens(role: .sample, logp: [-1], reward: $0) })
    }
    let assigned = AdvantageOptions(group: .samples, scale: .batch).assigned(to: groups)
    // The deviation of 0, 2, 10, 10, 3, 5, 7: mean 37/7, mean square 287/7.
    let deviation = (287.0 / 7 - (37.0 / 7) * (37.0 / 7)).squareRoot()
    let expected = [[-1.0, 1], [0, 0], [-2, 0, 2]].map { $0.map { $0 / deviation } }
    for (group, expected) in zip(assigned, expected) {
      expectClose(group.sequences.map { $0.advantage ?? .nan }, expected, within: 1e-15)
    }
  }

  @Test func assignmentLeavesOutWhatHasNoReward() {
    let group = ObjectiveGroup(sequences: [
      SequenceTokens(role: .sample, logp: [-1], reward: 1), SequenceTokens(role: .sample, logp: [-1]),
      SequenceTokens(role: .sample, logp: [-1], reward: 3), SequenceTokens(role: .reference, logp: [-1]),
    ])
    #expect(AdvantageOptions().assigned(to: group).sequences.map(\.advantage) == [-1, nil, 1, nil])
  }

  @Test func momentsOfNothing() {
    let moments = Moments(of: [])
    #expect(moments.mean == 0 && moments.deviation == 0)
  }
}
