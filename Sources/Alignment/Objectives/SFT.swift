/// Supervised fine-tuning: the mean negative log-likelihood of the reference.
///
///     loss = −(1/N) Σ_q J(y_q)               normalization "sequence", N sequences
///     loss = −(1/T) Σ_q Σ_t log π_θ(y_t)     normalization "token", T trained tokens
package struct SFTObjective: Objective {
  /// N or T.
  package var normalization: Normalization

  package init(normalization: Normalization = .sequence) { self.normalization = normalization }

  package var dependsOnLogProbabilities: Bool { false }
  package var roles: Set<SequenceTokens.Role> { [.reference] }
  package func accepts(_ group: ObjectiveGroup) -> Bool { group.sequences.contains { $0.role == .reference } }

  package func evaluate(_ group: ObjectiveGroup, in batch: ObjectiveBatch) -> ObjectiveValue {
    var loss = 0.0
    let gradient = group.sequences.map { sequence in
      guard sequence.role == .reference else { return sequence.perToken(0) }
      let scale = -1 / normalization.divisor(of: sequence, in: batch, longest: 1)
      loss += scale * sequence.logProbability
      return sequence.perToken(scale)
    }
    return ObjectiveValue(loss: loss, gradient: gradient)
  }
}
