/// Kahneman–Tversky optimization (arXiv 2402.01306): responses that are desirable (chosen) or undesirable (rejected),
/// not in pairs. With r = log π_θ(y) − log π_ref(y), minimised in the mean over N responses:
///
///     w_D · (1 − σ(β (r − z_0)))    of a desirable response
///     w_U · (1 − σ(β (z_0 − r)))    of an undesirable one
///
/// z_0, an estimate of KL(π_θ ‖ π_ref) that the gradient does not pass through, is the mean of r, if positive, over
/// responses that were given to other prompts.
package struct KTOObjective: Objective {
  /// β, w_D and w_U.
  package var options: KTOOptions
  /// z_0
  package var referencePoint: Double

  package init(_ options: KTOOptions = KTOOptions(), referencePoint: Double) {
    self.options = options
    self.referencePoint = referencePoint
  }

  package var dependsOnLogProbabilities: Bool { true }
  package var roles: Set<SequenceTokens.Role> { [.chosen, .rejected] }
  package func accepts(_ group: ObjectiveGroup) -> Bool { group.sequences.contains { roles.contains($0.role) } }

  package func evaluate(_ group: ObjectiveGroup, in batch: ObjectiveBatch) -> ObjectiveValue {
    var value = ObjectiveValue(loss: 0, gradient: [], diagnostics: [Diagnostic("kl", referencePoint)])
    let count = Double(max(batch.sequences, 1))
    for sequence in group.sequences {
      guard roles.contains(sequence.role) else {
        value.gradient.append(sequence.perToken(0))
        continue
      }
      let isDesirable = sequence.role == .chosen
      let weight = isDesirable ? options.desirableWeight : options.undesirableWeight
      let reward = sequence.logProbability - sequence.frozenLogProbability
      let sign = isDesirable ? 1.0 : -1.0
      let share = sigmoid(sign * options.beta * (reward - referencePoint))
      value.loss += weight * (1 - share) / count
      value.gradient.append(sequence.perToken(-weight * sign * options.beta * share * (1 - share) / count))
      let name = isDesirable ? "chosen" : "rejected"
      value.diagnostics.append(Diagnostic("rewards/" + name, options.beta * reward))
      value.diagnostics.append(Diagnostic("logps/" + name, sequence.logProbability))
    }
    return value
  }
}

/// What is made of desirable and undesirable responses.
public struct KTOOptions: Sendable, Equatable {
  /// β: how firmly the policy is held to the reference.
  public var beta: Double
  /// w_D: of desirable responses in the loss.
  public var desirableWeight: Double
  /// w_U: of undesirable ones.
  public var undesirableWeight: Double

  /// β = 0.1 and weights of 1, where not given.
  public init(beta: Double = 0.1, desirableWeight: Double = 1, undesirableWeight: Double = 1) {
    self.beta = beta
    self.desirableWeight = desirableWeight
    self.undesirableWeight = undesirableWeight
  }
}
