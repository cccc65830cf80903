/// How several rewards become one advantage.
public enum RewardAggregation: String, Sendable, CaseIterable {
  /// Â of Σ_k w_k R_k, the weighted sum.
  case sumThenNormalize = "sum_then_normalize"
  /// GDPO (arXiv 2601.05242): each reward is normalised in its group by itself, so that none drowns another by its size
  /// or spread; the weighted sum of what comes out is divided by its deviation over the step:
  ///
  ///     A_i = Σ_k w_k (R_k,i − μ_k) / (σ_k + ε)        Â_i = A_i / (σ_A + ε)
  ///
  /// The paper also subtracts the step's mean of A, which is 0: each reward's terms sum to 0 in every group.
  case normalizeThenSum = "normalize_then_sum"
}

extension AdvantageOptions {
  /// Sets the advantage of every sample and reference that has a reward, by ``RewardAggregation/normalizeThenSum``.
  /// - Parameter weights: of the rewards, in the order of each sequence's `rewards`. A reward that does not apply to a
  ///   sequence is left out of its own statistics, and adds nothing to that sequence.
  package func assign(to groups: inout [ObjectiveGroup], weights: [Double]) {
    var members: [Double] = []
    for index in groups.indices {
      for (place, sequence) in groups[index].sequences.enumerated() {
        groups[index].sequences[place].advantage = sequence.reward.map { _ in 0 }
      }
      for (reward, weight) in weights.enumerated() { add(reward, weight, to: &groups[index]) }
      for sequence in groups[index].sequences where sequence.role == .sample || group == .withReference {
        if let advantage = sequence.advantage { members.append(advantage) }
      }
    }
    let deviation = Moments(of: members).deviation
    for index in groups.indices {
      for (place, sequence) in groups[index].sequences.enumerated() {
        groups[index].sequences[place].advantage = sequence.advantage.map {
          deviation > 0 ? $0 / (deviation + epsilon) : 0
        }
      }
    }
  }

  /// Adds w_k (R_k − μ_k) / (σ_k + ε) where the reward applies.
  private func add(_ reward: Int, _ weight: Double, to group: inout ObjectiveGroup) {
    func value(_ place: Int) -> Double? {
      let sequence = group.sequences[place]
      return sequence.reward != nil && sequence.rewards.indices.contains(reward) ? sequence.rewards[reward] : nil
    }
    let sampled = group.sequences.indices.filter { group.sequences[$0].role == .sample && value($0) != nil }
    let reference = group.sequences.indices.first { group.sequences[$0].role == .reference && value($0) != nil }
    let result = advantages(samples: sampled.compactMap(value), reference: reference.flatMap(value))
    for (place, advantage) in zip(sampled, result.samples) {
      group.sequences[place].advantage? += weight * advantage
    }
    if let reference, let advantage = result.reference { group.sequences[reference].advantage? += weight * advantage }
  }
}
