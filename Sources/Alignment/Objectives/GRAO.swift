/// Group relative alignment optimization (arXiv 2508.07750, eq. 2–4). For a query with reference y and samples o_1 … o_G,
/// maximised in the mean over queries:
///
///     J_GRAO = (1/G) Σ_i [ α · Â_i · J(o_i)  +  β · Â_y · J(y)  +  λ · Â_i · (J(o_i) − J(y)) ]
///                            exploration         imitation           regularizer
///
/// with J(x) the mean log-probability of x's tokens and Â the group's normalised rewards. The paper has no α, which is 1.
/// There is no importance ratio: the objective is linear in the log-probabilities.
package struct GRAOObjective: Objective {
  package static let dependsOnLogProbabilities = false
  package var weights: GRAOWeights
  package var advantage: AdvantageOptions

  package init(weights: GRAOWeights = GRAOWeights(), advantage: AdvantageOptions = AdvantageOptions()) {
    self.weights = weights
    self.advantage = advantage
  }

  package func accepts(_ group: ObjectiveGroup) -> Bool { Members(group) != nil }

  package func evaluate(_ group: ObjectiveGroup, in batch: ObjectiveBatch) -> ObjectiveValue {
    var gradient = group.sequences.map { $0.perToken(0) }
    var advantages = [Double?](repeating: nil, count: group.sequences.count)
    guard let members = Members(group) else {
      return ObjectiveValue(loss: 0, parts: [], gradient: gradient, advantages: advantages)
    }
    let (y, samples) = (group.sequences[members.reference], members.samples.map { group.sequences[$0] })
    let (sampleAdvantages, yAdvantage) = advantage.advantages(
      samples: members.rewards, reference: members.referenceReward)
    let (g, queries) = (Double(samples.count), Double(max(batch.groups, 1)))
    let (alpha, beta, lambda) = (weights.exploration, weights.imitation, weights.regularizer)

    var (exploration, regularizer) = (0.0, 0.0)
    for (sample, a) in zip(samples, sampleAdvantages) {
      exploration += a * sample.meanLogProbability
      regularizer += a * (sample.meanLogProbability - y.meanLogProbability)
    }
    let parts = [
      (name: "exploration", value: alpha * exploration / g / queries),
      (name: "imitation", value: beta * yAdvantage * y.meanLogProbability / queries),
      (name: "regularizer", value: lambda * regularizer / g / queries),
    ]

    // The derivatives of −(exploration + imitation + regularizer) by J(o_i) and by J(y).
    for (index, a) in zip(members.samples, sampleAdvantages) {
      gradient[index] = group.sequences[index].gradientOfMean(times: -(alpha + lambda) * a / g / queries)
      advantages[index] = a
    }
    let sum = sampleAdvantages.reduce(0, +)
    gradient[members.reference] = y.gradientOfMean(times: -(beta * yAdvantage - lambda * sum / g) / queries)
    advantages[members.reference] = yAdvantage
    return ObjectiveValue(
      loss: -parts.reduce(0) { $0 + $1.value }, parts: parts, gradient: gradient, advantages: advantages)
  }

  /// Who takes part: the samples that have a reward, and a reference that has one.
  private struct Members {
    var samples: [Int] = []
    var rewards: [Double] = []
    let reference: Int
    let referenceReward: Double

    init?(_ group: ObjectiveGroup) {
      guard let reference = group.sequences.firstIndex(where: { $0.role == .reference }),
        let reward = group.sequences[reference].reward
      else { return nil }
      self.reference = reference
      referenceReward = reward
      for (index, sequence) in group.sequences.enumerated() where sequence.role == .sample {
        guard let reward = sequence.reward else { continue }
        samples.append(index)
        rewards.append(reward)
      }
      if samples.isEmpty { return nil }
    }
  }
}

/// The weights of GRAO's three parts at one step.
public struct GRAOWeights: Sendable, Equatable {
  public var exploration: Double
  /// β
  public var imitation: Double
  /// λ
  public var regularizer: Double

  public init(exploration: Double = 1, imitation: Double = 0.5, regularizer: Double = 0.6) {
    self.exploration = exploration
    self.imitation = imitation
    self.regularizer = regularizer
  }
}
