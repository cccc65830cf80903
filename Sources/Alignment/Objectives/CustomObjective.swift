import Values

/// A user's objective: the loss of one group, computed with tracked values.
public protocol ObjectiveFunction: AnyObject {
  /// - Returns: the loss, a single number that is minimised, and further single numbers to record by name.
  func loss(_ group: TrackedGroup) throws -> (loss: TrackedValue, parts: [(name: String, value: TrackedValue)])
}

/// An objective that a user wrote: the loss of a call is the mean over its groups of the function's.
struct CustomObjective: Objective {
  let function: any ObjectiveFunction
  /// Whether a group without samples teaches nothing.
  let needsSamples: Bool

  var dependsOnLogProbabilities: Bool { true }
  var roles: Set<SequenceTokens.Role> { [.sample, .reference, .chosen, .rejected] }
  func accepts(_ group: ObjectiveGroup) -> Bool {
    needsSamples ? group.sequences.contains { $0.role == .sample } : !group.sequences.isEmpty
  }

  func evaluate(_ group: ObjectiveGroup, in batch: ObjectiveBatch) throws -> ObjectiveValue {
    let evaluation = try evaluate(group, replaying: nil)
    let share = 1 / Double(max(batch.groups, 1))
    return ObjectiveValue(
      loss: share * evaluation.loss, parts: evaluation.parts.map { ($0.name, share * $0.value) },
      gradient: evaluation.gradient.map { $0.map { share * $0 } })
  }

  struct Evaluation {
    var loss: Double
    var parts: [(name: String, value: Double)]
    var gradient: [[Double]]
    var detached: [[Double]]
  }

  /// The function's loss of a group and its derivative by each token's log-probability.
  /// - Parameter detached: what values that the function detaches are to be.
  func evaluate(_ group: ObjectiveGroup, replaying detached: [[Double]]?) throws -> Evaluation {
    let tape = DerivativeTape(replaying: detached)
    let tracked = TrackedGroup(group, on: tape)
    let (loss, parts) = try function.loss(tracked)
    for (name, value) in [("the loss", loss)] + parts.map({ ("'\($0.name)'", $0.value) }) {
      guard value.numbers.count == 1 else {
        throw GRAOError("the objective returned \(value.shape.words) for \(name), not a single number")
      }
      if let its = value.tape, its !== tape {
        throw GRAOError("the objective returned a value of another group for \(name)")
      }
    }
    var gradient = group.sequences.map { $0.perToken(0) }
    let sets = tracked.all
    for (set, derivative) in zip(sets, tape.derivatives(of: loss, by: sets.map(\.logp))) {
      var rest = derivative[...]
      for place in set.places {
        let count = group.sequences[place].logp.count
        gradient[place] = Array(rest.prefix(count))
        rest = rest.dropFirst(count)
      }
    }
    return Evaluation(
      loss: loss.numbers[0], parts: parts.map { ($0.name, $0.value.numbers[0]) }, gradient: gradient,
      detached: tape.detached)
  }
}
