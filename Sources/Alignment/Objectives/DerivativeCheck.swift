import Foundation
import Values

/// Whether the derivative of a user's objective is that of the loss it computes: comparisons that hide a dependence, or a
/// function that is not the same at each call, are found before they train anything.
struct DerivativeCheck {
  let objective: CustomObjective
  /// Tokens looked at in a group.
  var tokens = 24
  private let step = 1e-5

  /// Compares with central differences, near the group's log-probabilities: not at them, as a ratio of exactly 1 is where
  /// objectives like to have their corners.
  func check(_ group: ObjectiveGroup, place: Int) throws {
    var group = group
    var stream = RandomStream(seed: 0, UInt64(place))
    for index in group.sequences.indices {
      // Where the policy is its own behaviour policy, that one stays.
      group.sequences[index].behaviour = group.sequences[index].behaviour ?? group.sequences[index].logp
      for token in group.sequences[index].logp.indices {
        group.sequences[index].logp[token] += 0.02 * (stream.uniform() - 0.5)
      }
    }
    let evaluation = try objective.evaluate(group, replaying: nil)
    let again = try objective.evaluate(group, replaying: nil)
    guard evaluation.loss == again.loss else {
      throw GRAOError(
        "check: the objective gave \(evaluation.loss) and then \(again.loss) for the same group \(place)")
    }
    let all = group.sequences.indices.flatMap { index in group.sequences[index].logp.indices.map { (index, $0) } }
    let stride = max(1, all.count / tokens)
    for (index, token) in Swift.stride(from: 0, to: all.count, by: stride).map({ all[$0] }) {
      func loss(_ change: Double) throws -> Double {
        var group = group
        group.sequences[index].logp[token] += change
        return try objective.evaluate(group, replaying: evaluation.detached).loss
      }
      let difference = (try loss(step) - loss(-step)) / (2 * step)
      let derivative = evaluation.gradient[index][token]
      let scale = max(abs(difference), abs(derivative))
      // The third derivative, and the loss's rounding.
      let allowed = 1e-6 * scale + 1e-11 * max(1, abs(evaluation.loss)) / step
      guard abs(difference - derivative) <= allowed else {
        throw GRAOError(
          "check: the derivative of the loss by log-probability \(token + 1) of sequence \(index + 1) in group \(place) "
            + "is \(derivative), but differences give \(difference)")
      }
    }
  }
}
