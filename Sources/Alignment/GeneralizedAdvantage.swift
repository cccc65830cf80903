/// Generalized advantage estimation (arXiv 1506.02438) over the trained tokens of a completion, the last of which ends the
/// episode:
///
///     δ_t = R_t + γ V_{t+1} − V_t        Â_t = δ_t + γλ Â_{t+1}        G_t = Â_t + V_t
package struct GeneralizedAdvantage: Sendable {
  /// γ: what the next token is worth, 0 … 1.
  package var gamma: Double
  /// λ: 0 trusts the values, 1 the rewards.
  package var lambda: Double

  package init(gamma: Double = 1, lambda: Double = 0.95) {
    self.gamma = gamma
    self.lambda = lambda
  }

  /// - Parameters:
  ///   - rewards: R, of each token.
  ///   - values: V, of each token: what was expected before it was drawn.
  ///   - isTrained: the other tokens are no actions, and the one before is followed by the one after.
  package func estimate(
    rewards: [Double], values: [Double], isTrained: (Int) -> Bool = { _ in true }
  ) -> ValueEstimate {
    var estimate = ValueEstimate(
      values: values.indices.map { isTrained($0) ? values[$0] : 0 }, advantages: values.map { _ in 0 },
      returns: values.map { _ in 0 })
    var (next, advantage) = (0.0, 0.0)
    for token in values.indices.reversed() where isTrained(token) {
      let delta = rewards[token] + gamma * next - values[token]
      advantage = delta + gamma * lambda * advantage
      next = values[token]
      estimate.advantages[token] = advantage
      estimate.returns[token] = advantage + values[token]
    }
    return estimate
  }
}

extension SequenceTokens {
  /// R_t: the penalty −β KL_t for every trained token's distance from the frozen policy under the one that sampled, and
  /// the sequence's reward at the last of them.
  /// - Parameter coefficient: β; 0 without a frozen policy.
  package func tokenRewards(_ coefficient: Double, _ kind: KLEstimate) -> (rewards: [Double], divergence: Double) {
    let sampled = behaviour ?? logp
    var rewards = sampled.map { _ in 0.0 }
    var divergence = 0.0
    for token in sampled.indices where isTrained(token) {
      guard let frozen else { break }
      let estimate = kind.evaluate(sampled[token] - frozen[token]).value
      divergence += estimate
      rewards[token] = -coefficient * estimate
    }
    if let reward, let last = sampled.indices.last(where: isTrained) { rewards[last] += reward }
    return (rewards, divergence)
  }
}

extension [ObjectiveGroup] {
  /// Advantages to mean 0 and deviation 1 over all trained tokens: (Â − mean) / √(variance + 1e-8), the variance divided
  /// by n − 1; as TRL whitens. One token alone is left as it is.
  package mutating func whitenAdvantages() {
    var numbers: [Double] = []
    for sequence in flatMap(\.sequences) {
      guard let estimate = sequence.estimate else { continue }
      numbers += estimate.advantages.indices.filter(sequence.isTrained).map { estimate.advantages[$0] }
    }
    guard numbers.count > 1 else { return }
    let mean = numbers.reduce(0, +) / Double(numbers.count)
    let squares: Double = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let deviation = (squares / Double(numbers.count - 1) + 1e-8).squareRoot()
    for group in indices {
      for index in self[group].sequences.indices {
        guard var estimate = self[group].sequences[index].estimate else { continue }
        for token in estimate.advantages.indices where self[group].sequences[index].isTrained(token) {
          estimate.advantages[token] = (estimate.advantages[token] - mean) / deviation
        }
        self[group].sequences[index].estimate = estimate
      }
    }
  }
}
