import Alignment
import Testing
import Values

/// A group of `samples` sampled sequences and a reference, of random lengths, log-probabilities, masks and rewards.
func randomGroup(samples: Int, _ stream: inout RandomStream, masked: Bool = true) -> ObjectiveGroup {
  func sequence(_ role: SequenceTokens.Role, _ stream: inout RandomStream) -> SequenceTokens {
    let length = 1 + stream.integer(below: 6)
    let logp = (0..<length).map { _ in -4 * stream.uniform() }
    var mask = (0..<length).map { _ in stream.uniform() < 0.7 }
    mask[stream.integer(below: length)] = true
    return SequenceTokens(
      role: role, logp: logp, mask: masked ? mask : nil, reward: Double(stream.integer(below: 5)) / 2)
  }
  let sampled = (0..<samples).map { _ in sequence(.sample, &stream) }
  return ObjectiveGroup(sequences: sampled + [sequence(.reference, &stream)])
}

/// The group as a behaviour policy and a frozen one have scored it too: ratios between e^−0.4 and e^0.4.
func withPolicies(_ group: ObjectiveGroup, _ stream: inout RandomStream) -> ObjectiveGroup {
  var group = group
  for index in group.sequences.indices {
    let logp = group.sequences[index].logp
    group.sequences[index].behaviour = logp.map { $0 + 0.8 * stream.uniform() - 0.4 }
    group.sequences[index].frozen = logp.map { $0 + 0.8 * stream.uniform() - 0.4 }
  }
  return group
}

/// The batch that these groups make for an objective that trains on sequences of these roles.
func batch(of groups: [ObjectiveGroup], roles: Set<SequenceTokens.Role>) -> ObjectiveBatch {
  let sequences = groups.flatMap(\.sequences).filter { roles.contains($0.role) }
  return ObjectiveBatch(
    groups: groups.count, sequences: sequences.count, tokens: sequences.reduce(0) { $0 + $1.trainedCount })
}

/// Checks an objective's gradient at every token against central differences of its loss.
func checkGradient(
  _ objective: any Objective, _ group: ObjectiveGroup, in batch: ObjectiveBatch, step: Double = 1e-3,
  tolerance: Double, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let gradient = try objective.evaluate(group, in: batch).gradient
  #expect(gradient.map(\.count) == group.sequences.map(\.logp.count), sourceLocation: sourceLocation)
  for (index, sequence) in group.sequences.enumerated() {
    for token in sequence.logp.indices {
      func loss(_ change: Double) throws -> Double {
        var group = group
        group.sequences[index].logp[token] += change
        return try objective.evaluate(group, in: batch).loss
      }
      let difference = try (loss(step) - loss(-step)) / (2 * step)
      #expect(
        abs(gradient[index][token] - difference) <= tolerance, "sequence \(index), token \(token)",
        sourceLocation: sourceLocation)
    }
  }
}

extension AdvantageOptions {
  /// The groups with their advantages.
  func assigned(to groups: [ObjectiveGroup]) -> [ObjectiveGroup] {
    var groups = groups
    assign(to: &groups)
    return groups
  }

  func assigned(to group: ObjectiveGroup) -> ObjectiveGroup { assigned(to: [group])[0] }
}

func expectClose(
  _ values: [Double], _ expected: [Double], within tolerance: Double, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(values.count == expected.count, sourceLocation: sourceLocation)
  for (value, expected) in zip(values, expected) {
    #expect(abs(value - expected) <= tolerance, "\(value) is not \(expected)", sourceLocation: sourceLocation)
  }
}
