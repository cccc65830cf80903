/// A reward model's loss (Bradley and Terry, 1952; arXiv 2203.02155): with the scores s of the chosen and the rejected
/// response, minimised in the mean over N pairs
///
///     −log σ(s_w − s_l − m) + c (s_w + s_l)²
///
/// m, which a row may give, is a margin that is asked for; c holds the scores around 0 (arXiv 2312.09244).
package struct BradleyTerryObjective: Objective {
  /// c.
  package var centering: Double

  package init(centering: Double = 0) { self.centering = centering }

  package var dependsOnLogProbabilities: Bool { true }
  package var output: ModelOutput { .score }
  package var roles: Set<SequenceTokens.Role> { [.chosen, .rejected] }
  package func accepts(_ group: ObjectiveGroup) -> Bool { group.pair != nil }

  package func evaluate(_ group: ObjectiveGroup, in batch: ObjectiveBatch) -> ObjectiveValue {
    var value = ObjectiveValue(
      loss: 0, gradient: group.sequences.map { _ in [] },
      valueGradient: group.sequences.map { $0.values.map { _ in 0 } })
    guard let (chosen, rejected) = group.pair, let w = group.sequences[chosen].values.first,
      let l = group.sequences[rejected].values.first
    else { return value }
    let pairs = Double(max(batch.groups, 1))
    let margin = w - l - group.margin
    value.loss = (-logSigmoid(margin) + centering * (w + l) * (w + l)) / pairs
    let (pull, center) = (-sigmoid(-margin) / pairs, 2 * centering * (w + l) / pairs)
    value.valueGradient[chosen] = [pull + center]
    value.valueGradient[rejected] = [-pull + center]
    value.diagnostics = [
      Diagnostic("accuracy", w > l ? 1 : 0), Diagnostic("margin", w - l), Diagnostic("mean_reward", w + l, over: 2),
    ]
    return value
  }
}
