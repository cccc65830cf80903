/// Supervised fine-tuning: the mean negative log-likelihood of the reference.
///
///     loss = −(1/N) Σ_q J(y_q)               normalization "sequence", N sequences
///     loss = −(1/T) Σ_q Σ_t log π_θ(y_t)     normalization "token", T trained tokens
package struct SFTObjective: Objective {
  package static let dependsOnLogProbabilities = false
  package var normalization: Normalization

  package init(normalization: Normalization = .sequence) { self.normalization = normalization }

  package func accepts(_ group: ObjectiveGroup) -> Bool { group.sequences.contains { $0.role == .reference } }

  package func evaluate(_ group: ObjectiveGroup, in batch: ObjectiveBatch) -> ObjectiveValue {
    var loss = 0.0
    let gradient = group.sequences.map { sequence in
      guard sequence.role == .reference else { return sequence.perToken(0) }
      switch normalization {
      case .sequence:
        let scale = -1 / Double(max(batch.sequences, 1))
        loss += scale * sequence.meanLogProbability
        return sequence.gradientOfMean(times: scale)
      case .token:
        let scale = -1 / Double(max(batch.tokens, 1))
        loss += scale * sequence.logProbability
        return sequence.perToken(scale)
      }
    }
    return ObjectiveValue(loss: loss, parts: [], gradient: gradient, advantages: group.sequences.map { _ in nil })
  }
}
