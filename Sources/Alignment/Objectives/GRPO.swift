/// Group relative policy optimization (arXiv 2402.03300) and its variants: with samples o_i of a query, their
/// advantages Â_i, ratio r to the behaviour policy and a frozen reference policy, minimised over N sequences
///
///     loss = −(1/N) Σ_i (1/|o_i|) Σ_t [ min(r_it Â_i, clip(r_it, 1 − low, 1 + high) Â_i) − β KL_it ]
///
/// The variants are the options: the level and form of the ratio (GSPO, CISPO), the clip (DAPO), the normaliser (DAPO,
/// Dr. GRPO), the estimate of the KL; and those of ``AdvantageOptions`` (Dr. GRPO, RLOO, REINFORCE).
package struct GRPOObjective: Objective {
  /// The ratio to the behaviour policy, and its clip.
  package var ratio: RatioOptions
  /// What sums over tokens are divided by.
  package var normalization: Normalization
  /// Tokens that a completion may have, for ``Normalization/constant``.
  package var longest: Int
  /// β; with 0 no frozen policy is needed.
  package var klCoefficient: Double
  /// How the KL of a token is estimated.
  package var klEstimate: KLEstimate

  package init(
    ratio: RatioOptions = RatioOptions(), normalization: Normalization = .sequence, longest: Int = 1,
    klCoefficient: Double = 0, klEstimate: KLEstimate = .k3
  ) {
    self.ratio = ratio
    self.normalization = normalization
    self.longest = longest
    self.klCoefficient = klCoefficient
    self.klEstimate = klEstimate
  }

  package var dependsOnLogProbabilities: Bool { true }
  package var roles: Set<SequenceTokens.Role> { [.sample] }
  package func accepts(_ group: ObjectiveGroup) -> Bool { group.sequences.contains { $0.advantage != nil } }

  package func evaluate(_ group: ObjectiveGroup, in batch: ObjectiveBatch) -> ObjectiveValue {
    var loss = 0.0
    var (tokens, low, high, kl) = (0, 0, 0, 0.0)
    let gradient = group.sequences.map { sequence in
      guard sequence.role == .sample, let advantage = sequence.advantage else { return sequence.perToken(0) }
      let scale = -1 / normalization.divisor(of: sequence, in: batch, longest: longest)
      let surrogate = ratio.surrogate(of: sequence, advantages: sequence.perToken(advantage), scale: scale)
      loss += surrogate.value
      (tokens, low, high) = (
        tokens + sequence.trainedCount, low + surrogate.clippedLow, high + surrogate.clippedHigh
      )
      var gradient = surrogate.gradient
      if let frozen = sequence.frozen {
        for token in sequence.logp.indices where sequence.isTrained(token) {
          let estimate = klEstimate.evaluate(sequence.logp[token] - frozen[token])
          kl += estimate.value
          loss -= scale * klCoefficient * estimate.value
          gradient[token] -= scale * klCoefficient * estimate.derivative
        }
      }
      return gradient
    }
    let count = Double(tokens)
    var diagnostics = [
      Diagnostic("clip_ratio/low_mean", Double(low), over: count),
      Diagnostic("clip_ratio/high_mean", Double(high), over: count),
      Diagnostic("clip_ratio/region_mean", Double(low + high), over: count),
    ]
    if group.sequences.contains(where: { $0.frozen != nil }) { diagnostics.append(Diagnostic("kl", kl, over: count)) }
    return ObjectiveValue(loss: loss, gradient: gradient, diagnostics: diagnostics)
  }
}
