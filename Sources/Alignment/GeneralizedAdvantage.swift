/// Generalized advantage estimation (arXiv 1506.02438) over the trained tokens of a completion, the last of which ends the
/// episode:
///
///     δ_t = R_t + γ V_{t+1} − V_t        Â_t = δ_t + γλ Â_{t+1}        G_t = Â_t + V_t
package struct GeneralizedAdvantage: Sendable {
  package var gamma: Double
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
    let places = indices.flatMap { group in
      self[group].sequences.indices.flatMap { index in
        let sequence = self[group].sequences[index]
        return (sequence.estimate?.advantages.indices.filter(sequence.isTrained) ?? []).map { (group, index, $0) }
      }
    }
    guard places.count > 1 else { return }
    func advantage(_ place: (Int, Int, Int)) -> Double {
      self[place.0].sequences[place.1].estimate?.advantages[place.2] ?? 0
    }
    let count = Double(places.count)
    let mean = places.reduce(0) { $0 + advantage($1) } / count
    let variance = places.reduce(0) { $0 + (advantage($1) - mean) * (advantage($1) - mean) } / (count - 1)
    let deviation = (variance + 1e-8).squareRoot()
    for place in places {
      self[place.0].sequences[place.1].estimate?.advantages[place.2] = (advantage(place) - mean) / deviation
    }
  }
}
