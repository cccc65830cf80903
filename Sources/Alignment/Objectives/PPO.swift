import Foundation

/// Proximal policy optimization (arXiv 1707.06347) on tokens as actions: with the advantages Â_t and returns G_t that the
/// rollout estimated, its log-probabilities and values V_old, minimised over N completions
///
///     loss = (1/N) Σ_i (1/|o_i|) Σ_t [ −min(r_t Â_t, clip(r_t, 1 − low, 1 + high) Â_t)
///                                      + c/2 · max((V_t − G_t)², (clip(V_t, V_old,t − v, V_old,t + v) − G_t)²) ]
///
/// with r_t = π_θ(o_t) / π_old(o_t). The two terms share no derivative: V may be of the policy's own head, or of a model
/// apart. The normaliser is an option, as grpo's is.
package struct PPOObjective: Objective {
  /// A ratio for each token.
  package var ratio: RatioOptions
  /// v: how far a value may move from the rollout's; nil does not clip.
  package var valueClip: Double?
  /// c.
  package var valueCoefficient: Double
  /// What sums over tokens are divided by.
  package var normalization: Normalization
  /// Tokens that a completion may have, for ``Normalization/constant``.
  package var longest: Int

  package init(
    ratio: RatioOptions = RatioOptions(), valueClip: Double? = 0.2, valueCoefficient: Double = 0.1,
    normalization: Normalization = .sequence, longest: Int = 1
  ) {
    self.ratio = ratio
    self.valueClip = valueClip
    self.valueCoefficient = valueCoefficient
    self.normalization = normalization
    self.longest = longest
  }

  package var dependsOnLogProbabilities: Bool { true }
  package var output: ModelOutput { .valuesToo }
  package var roles: Set<SequenceTokens.Role> { [.sample] }
  package func accepts(_ group: ObjectiveGroup) -> Bool { group.sequences.contains { $0.reward != nil } }

  package func evaluate(_ group: ObjectiveGroup, in batch: ObjectiveBatch) throws -> ObjectiveValue {
    var value = ObjectiveValue(loss: 0, gradient: [])
    var (policySum, valueSum, squares, ratios) = (0.0, 0.0, 0.0, 0.0)
    var (tokens, low, high, clippedValues) = (0, 0, 0, 0)
    for sequence in group.sequences {
      guard sequence.role == .sample, let estimate = sequence.estimate else {
        value.gradient.append(sequence.perToken(0))
        value.valueGradient.append(sequence.perToken(0))
        continue
      }
      let scale = 1 / normalization.divisor(of: sequence, in: batch, longest: longest)
      let surrogate = ratio.surrogate(of: sequence, advantages: estimate.advantages, scale: -scale)
      var gradient = sequence.perToken(0)
      var sum = 0.0
      for token in sequence.logp.indices where sequence.isTrained(token) {
        let part = valueLoss(
          sequence.values[token], old: estimate.values[token], target: estimate.returns[token])
        sum += part.value
        gradient[token] = scale * valueCoefficient * part.derivative
        if part.isClipped { clippedValues += 1 }
        squares += sequence.logRatio(token) * sequence.logRatio(token)
        ratios += exp(sequence.logRatio(token))
      }
      value.loss += surrogate.value + scale * valueCoefficient * sum
      value.gradient.append(surrogate.gradient)
      value.valueGradient.append(gradient)
      policySum += surrogate.value / scale
      valueSum += sum
      tokens += sequence.trainedCount
      (low, high) = (low + surrogate.clippedLow, high + surrogate.clippedHigh)
    }
    let count = Double(tokens)
    value.diagnostics = [
      Diagnostic("loss/policy_avg", policySum, over: count), Diagnostic("loss/value_avg", valueSum, over: count),
      Diagnostic("policy/approxkl_avg", squares / 2, over: count), Diagnostic("val/ratio", ratios, over: count),
      Diagnostic("val/clipfrac_avg", Double(clippedValues), over: count),
      Diagnostic("clip_ratio/low_mean", Double(low), over: count),
      Diagnostic("clip_ratio/high_mean", Double(high), over: count),
      Diagnostic("clip_ratio/region_mean", Double(low + high), over: count),
    ]
    return value
  }

  /// ½ max((V − G)², (clip(V) − G)²), its derivative by V, and whether the clipped value is what counts.
  private func valueLoss(
    _ value: Double, old: Double, target: Double
  ) -> (value: Double, derivative: Double, isClipped: Bool) {
    let distance = value - target
    guard let valueClip else { return (distance * distance / 2, distance, false) }
    let held = min(max(value, old - valueClip), old + valueClip) - target
    // Where the two are the same the value is within the clip; where the held one is further, it does not move with V.
    return held * held > distance * distance
      ? (held * held / 2, 0, true) : (distance * distance / 2, distance, false)
  }
}

/// What a rollout says of each token of a completion, for ppo; 0 where it is not trained.
package struct ValueEstimate: Sendable, Equatable {
  /// V_old.
  package var values: [Double]
  /// Â.
  package var advantages: [Double]
  /// G, what the values should have been.
  package var returns: [Double]

  package init(values: [Double], advantages: [Double], returns: [Double]) {
    self.values = values
    self.advantages = advantages
    self.returns = returns
  }
}
