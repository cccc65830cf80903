import Alignment
import Foundation
import Testing
import Values

private func sample(_ logp: [Double], _ advantage: Double?, behaviour: [Double]? = nil, frozen: [Double]? = nil)
  -> SequenceTokens
{
  SequenceTokens(role: .sample, logp: logp, behaviour: behaviour, frozen: frozen, advantage: advantage)
}

private let one = ObjectiveBatch(groups: 1, sequences: 1, tokens: 1)

struct GRPOTests {
  /// A ratio of 2 is beyond 1.2: with Â = 1 the clip holds, with Â = −1 the pessimistic minimum does not.
  @Test func clippingByHand() {
    let logp = [-1.0]
    let behaviour = [-1 - log(2.0)]
    func value(_ advantage: Double) -> ObjectiveValue {
      GRPOObjective().evaluate(
        ObjectiveGroup(sequences: [sample(logp, advantage, behaviour: behaviour)]), in: one)
    }
    expectClose([value(1).loss, value(-1).loss], [-1.2, 2], within: 1e-15)
    expectClose(value(1).gradient[0] + value(-1).gradient[0], [0, 2], within: 1e-15)
    #expect(value(1).diagnostics.map(\.mean) == [0, 1, 1] && value(-1).diagnostics.map(\.mean) == [0, 0, 0])
  }

  /// CISPO keeps the gradient where the clip holds: the weight is 1.2.
  @Test func cispoByHand() {
    let group = ObjectiveGroup(sequences: [sample([-1, -3], 0.5, behaviour: [-1 - log(2), -3 + log(4)])])
    let objective = GRPOObjective(ratio: RatioOptions(form: .cispo, low: 0.5))
    let value = objective.evaluate(group, in: ObjectiveBatch(groups: 1, sequences: 1, tokens: 2))
    // −½ · (1.2 · 0.5 · −1 + 0.5 · 0.5 · −3)
    expectClose([value.loss], [0.675], within: 1e-15)
    expectClose(value.gradient[0], [-0.3, -0.125], within: 1e-15)
    #expect(value.diagnostics.map(\.mean) == [0.5, 0.5, 1])
  }

  @Test func klByHand() {
    let d = 0.5
    let expected: [KLEstimate: (Double, Double)] = [
      .k1: (d, 1), .k2: (d * d / 2, d), .k3: (exp(-d) - 1 + d, 1 - exp(-d)),
    ]
    for (estimate, (value, derivative)) in expected {
      let objective = GRPOObjective(klCoefficient: 0.1, klEstimate: estimate)
      let result = objective.evaluate(ObjectiveGroup(sequences: [sample([-1], 0, frozen: [-1.5])]), in: one)
      expectClose([result.loss], [0.1 * value], within: 1e-16)
      expectClose(result.gradient[0], [0.1 * derivative], within: 1e-16)
      #expect(result.diagnostics.last?.name == "kl")
      expectClose([result.diagnostics.last?.mean ?? .nan], [value], within: 1e-16)
    }
  }

  @Test(arguments: RatioOptions.Level.allCases, Normalization.allCases)
  func gradientsAgreeWithDifferences(level: RatioOptions.Level, normalization: Normalization) throws {
    var stream = RandomStream(seed: 21)
    for estimate in KLEstimate.allCases {
      let objective = GRPOObjective(
        ratio: RatioOptions(level: level, low: 0.3, high: 0.2), normalization: normalization, longest: 7,
        klCoefficient: 0.4, klEstimate: estimate)
      for _ in 0..<8 {
        let groups = AdvantageOptions(group: .samples).assigned(
          to: (0..<2).map { _ in randomGroup(samples: 3, &stream) }
        )
        .map { withPolicies($0, &stream) }
        let batch = batch(of: groups, roles: [.sample])
        for group in groups { try checkGradient(objective, group, in: batch, step: 1e-5, tolerance: 1e-9) }
      }
    }
  }

  /// Without `behaviour` the policy is its own: ratio 1, and the gradient is the policy gradient.
  @Test func withoutBehaviourTheRatioIsOne() {
    var stream = RandomStream(seed: 22)
    var group = AdvantageOptions(group: .samples).assigned(to: randomGroup(samples: 3, &stream))
    let alone = GRPOObjective().evaluate(group, in: one)
    for index in group.sequences.indices { group.sequences[index].behaviour = group.sequences[index].logp }
    let same = GRPOObjective().evaluate(group, in: one)
    #expect(alone.loss == same.loss && alone.gradient == same.gradient)
  }

  @Test func whatHasNoAdvantageIsLeftOut() {
    let kept = sample([-1, -2], 0.5)
    let value = GRPOObjective().evaluate(
      ObjectiveGroup(sequences: [sample([-1], nil), kept, SequenceTokens(role: .reference, logp: [-1], advantage: 2)]),
      in: one)
    let alone = GRPOObjective().evaluate(ObjectiveGroup(sequences: [kept]), in: one)
    #expect(value.gradient == [[0]] + alone.gradient + [[0]] && value.loss == alone.loss)
    #expect(!GRPOObjective().accepts(ObjectiveGroup(sequences: [sample([-1], nil)])))
  }
}
