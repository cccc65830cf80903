import Alignment
import Foundation
import Testing
import Values

private func pair(_ stream: inout RandomStream) -> ObjectiveGroup {
  var group = randomGroup(samples: 1, &stream)
  group.sequences[0].role = .chosen
  group.sequences[1].role = .rejected
  return withPolicies(group, &stream)
}

private let roles: Set<SequenceTokens.Role> = [.chosen, .rejected]

struct DPOTests {
  @Test func byHand() {
    // log-ratios: chosen 1, rejected −1; m = 2.
    let group = ObjectiveGroup(sequences: [
      SequenceTokens(role: .rejected, logp: [-4], frozen: [-3]),
      SequenceTokens(role: .chosen, logp: [-1, -2], frozen: [-2, -2]),
    ])
    let batch = ObjectiveBatch(groups: 2, sequences: 4, tokens: 6)
    let value = DPOObjective(DPOOptions(beta: 0.5)).evaluate(group, in: batch)
    let share = 1 / (1 + exp(1.0))
    expectClose([value.loss], [log(1 + exp(-1.0)) / 2], within: 1e-16)
    expectClose(value.gradient[0], [0.5 * share / 2], within: 1e-16)
    expectClose(value.gradient[1], [-0.5 * share / 2, -0.5 * share / 2], within: 1e-16)
    let named = Dictionary(uniqueKeysWithValues: value.diagnostics.map { ($0.name, $0.mean) })
    #expect(
      named == [
        "rewards/chosen": 0.5, "rewards/rejected": -0.5, "rewards/accuracies": 1, "rewards/margins": 1,
        "logps/chosen": -3, "logps/rejected": -4,
      ])
  }

  @Test(arguments: DPOOptions.Loss.allCases)
  func gradientsAgreeWithDifferences(loss: DPOOptions.Loss) throws {
    var stream = RandomStream(seed: 31)
    for smoothing in loss == .sigmoid ? [0, 0.3] : [0] {
      let objective = DPOObjective(DPOOptions(loss: loss, beta: 0.7, labelSmoothing: smoothing))
      for _ in 0..<20 {
        let groups = [pair(&stream), pair(&stream)]
        let batch = batch(of: groups, roles: roles)
        for group in groups { try checkGradient(objective, group, in: batch, step: 1e-5, tolerance: 2e-9) }
      }
    }
  }

  @Test(arguments: DPOOptions.Loss.allCases)
  func marginsOfAnySizeGiveFiniteNumbers(loss: DPOOptions.Loss) {
    for size in [1e-300, 1.0, 1e4, 1e8] {
      for sign in [1.0, -1] {
        let group = ObjectiveGroup(sequences: [
          SequenceTokens(role: .chosen, logp: [-1 - (sign > 0 ? 0 : size)], frozen: [-1]),
          SequenceTokens(role: .rejected, logp: [-1 - (sign > 0 ? size : 0)], frozen: [-1]),
        ])
        let value = DPOObjective(DPOOptions(loss: loss))
          .evaluate(group, in: ObjectiveBatch(groups: 1, sequences: 2, tokens: 2))
        #expect(value.loss.isFinite && value.gradient.joined().allSatisfy(\.isFinite), "\(loss) \(sign * size)")
      }
    }
  }

  @Test func aGroupWithoutAPairIsNotAccepted() {
    let group = ObjectiveGroup(sequences: [SequenceTokens(role: .chosen, logp: [-1], frozen: [-1])])
    #expect(!DPOObjective().accepts(group))
    #expect(DPOObjective().evaluate(group, in: ObjectiveBatch(groups: 1, sequences: 1, tokens: 1)).gradient == [[0]])
  }
}

struct KTOTests {
  @Test func byHand() {
    // Desirable: r = 1, z_0 = 0.5. Undesirable: r = 2.
    let group = ObjectiveGroup(sequences: [
      SequenceTokens(role: .chosen, logp: [-1, -2], frozen: [-2, -2]),
      SequenceTokens(role: .rejected, logp: [-1], frozen: [-3]),
    ])
    let objective = KTOObjective(
      KTOOptions(beta: 2, desirableWeight: 3, undesirableWeight: 5), referencePoint: 0.5)
    let value = objective.evaluate(group, in: ObjectiveBatch(groups: 1, sequences: 2, tokens: 3))
    func s(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
    expectClose([value.loss], [3 * (1 - s(1)) / 2 + 5 * (1 - s(-3)) / 2], within: 1e-15)
    expectClose(value.gradient[0], [-3 * s(1) * (1 - s(1)), -3 * s(1) * (1 - s(1))], within: 1e-15)
    expectClose(value.gradient[1], [5 * s(-3) * (1 - s(-3))], within: 1e-15)
  }

  @Test func gradientsAgreeWithDifferences() throws {
    var stream = RandomStream(seed: 32)
    let objective = KTOObjective(
      KTOOptions(beta: 0.7, desirableWeight: 1.5, undesirableWeight: 0.5), referencePoint: 0.3)
    for _ in 0..<20 {
      let groups = [pair(&stream), pair(&stream)]
      let batch = batch(of: groups, roles: roles)
      for group in groups { try checkGradient(objective, group, in: batch, step: 1e-5, tolerance: 1e-9) }
    }
  }
}
