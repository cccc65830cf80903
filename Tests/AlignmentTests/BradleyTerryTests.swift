import Alignment
import Foundation
import Testing
import Values

/// The reward model's loss. Golden values of torch and TRL are in PPOTests.
struct BradleyTerryTests {
  private static func pair(_ chosen: Double, _ rejected: Double, margin: Double = 0) -> ObjectiveGroup {
    let sequences = [(SequenceTokens.Role.chosen, chosen), (.rejected, rejected)].map { role, score in
      var sequence = SequenceTokens(role: role, logp: [])
      sequence.values = [score]
      return sequence
    }
    return ObjectiveGroup(sequences: sequences, margin: margin)
  }

  @Test func byHand() {
    let value = BradleyTerryObjective(centering: 0.5)
      .evaluate(Self.pair(2, 1), in: ObjectiveBatch(groups: 2, sequences: 4, tokens: 0))
    // −log σ(1) + ½ · 3², over two pairs.
    expectClose([value.loss], [(log(1 + exp(-1.0)) + 4.5) / 2], within: 1e-15)
  }

  @Test func gradientsAgreeWithDifferences() {
    var stream = RandomStream(seed: 51)
    let batch = ObjectiveBatch(groups: 3, sequences: 6, tokens: 0)
    for centering in [0, 0.3] {
      let objective = BradleyTerryObjective(centering: centering)
      for _ in 0..<50 {
        let group = Self.pair(
          6 * stream.uniform() - 3, 6 * stream.uniform() - 3, margin: stream.uniform())
        let gradient = objective.evaluate(group, in: batch).valueGradient
        for index in 0..<2 {
          func loss(_ change: Double) -> Double {
            var group = group
            group.sequences[index].values[0] += change
            return objective.evaluate(group, in: batch).loss
          }
          let difference = (loss(1e-5) - loss(-1e-5)) / 2e-5
          #expect(abs(gradient[index][0] - difference) < 1e-9)
        }
      }
    }
  }
}
