import Alignment
import Testing
import Values

private func reference(_ logp: [Double], mask: [Bool]? = nil) -> ObjectiveGroup {
  ObjectiveGroup(sequences: [SequenceTokens(role: .reference, logp: logp, mask: mask)])
}

struct SFTTests {
  @Test func byHand() {
    let groups = [reference([-1, -2, -3]), reference([-4, -9], mask: [true, false])]
    let batch = batch(of: groups, roles: [.reference])
    // Sequence: −(−2 − 4) / 2. Token: −(−6 − 4) / 4.
    let values = groups.map { SFTObjective().evaluate($0, in: batch) }
    expectClose([values.reduce(0) { $0 + $1.loss }], [3], within: 1e-15)
    expectClose(values[0].gradient[0], [-1.0 / 6, -1.0 / 6, -1.0 / 6], within: 1e-16)
    #expect(values[1].gradient == [[-0.5, 0]])
    let token = groups.map { SFTObjective(normalization: .token).evaluate($0, in: batch) }
    expectClose([token.reduce(0) { $0 + $1.loss }], [2.5], within: 1e-15)
    #expect(token[0].gradient == [[-0.25, -0.25, -0.25]])
    #expect(token[1].gradient == [[-0.25, 0]])
  }

  @Test(arguments: [Normalization.sequence, .token])
  func gradientsAgreeWithDifferences(normalization: Normalization) throws {
    var stream = RandomStream(seed: 1)
    for _ in 0..<20 {
      let groups = (0..<3).map { _ in randomGroup(samples: 2, &stream) }
      let batch = batch(of: groups, roles: [.reference])
      for group in groups {
        try checkGradient(SFTObjective(normalization: normalization), group, in: batch, step: 1, tolerance: 1e-14)
      }
    }
  }

  @Test(arguments: [Normalization.sequence, .token])
  func aFullyMaskedReferenceContributesNothing(normalization: Normalization) {
    let value = SFTObjective(normalization: normalization)
      .evaluate(reference([-1, -2], mask: [false, false]), in: ObjectiveBatch(groups: 1, sequences: 1, tokens: 0))
    #expect(value.loss == 0)
    #expect(value.gradient == [[0, 0]])
  }

  @Test func groupsWithoutReferenceAreNotAccepted() {
    #expect(SFTObjective().accepts(reference([-1])))
    let samples = ObjectiveGroup(sequences: [SequenceTokens(role: .sample, logp: [-1], reward: 1)])
    #expect(!SFTObjective().accepts(samples))
    #expect(SFTObjective().evaluate(samples, in: ObjectiveBatch(groups: 0, sequences: 0, tokens: 0)).gradient == [[0]])
  }
}
