/// Group relative alignment optimization (arXiv 2508.07750, eq. 2–4). For a query with reference y and samples o_1 … o_G,
/// maximised in the mean over queries:
///
///     J_GRAO = (1/G) Σ_i [ α · Â_i · J(o_i)  +  β · Â_y · J(y)  +  λ · Â_i · (J(o_i) − J(y)) ]
///                            exploration         imitation           regularizer
///
/// with J(x) the mean log-probability of x's tokens and Â the group's normalised rewards. The paper has no α, which is
/// 1, and no importance ratio: the objective is linear in the log-probabilities. With a ``ratio``, which several
/// optimizer steps on one rollout need, Â_i · J(o_i) gives way to the mean over o_i's tokens of the ratio's surrogate.
package struct GRAOObjective: Objective {
  /// α, β and λ.
  package var weights: GRAOWeights
  /// The importance ratio, where several optimizer steps are made on one rollout; nil without one.
  package var ratio: RatioOptions?

  package init(weights: GRAOWeights = GRAOWeights(), ratio: RatioOptions? = nil) {
    self.weights = weights
    self.ratio = ratio
  }

  package var dependsOnLogProbabilities: Bool { ratio != nil }
  package var roles: Set<SequenceTokens.Role> { [.sample, .reference] }
  package func accepts(_ group: ObjectiveGroup) -> Bool { Members(group) != nil }

  package func evaluate(_ group: ObjectiveGroup, in batch: ObjectiveBatch) -> ObjectiveValue {
    var gradient = group.sequences.map { $0.perToken(0) }
    guard let members = Members(group) else { return ObjectiveValue(loss: 0, gradient: gradient) }
    let y = group.sequences[members.reference]
    let (g, queries) = (Double(members.samples.count), Double(max(batch.groups, 1)))
    let (alpha, beta, lambda) = (weights.exploration, weights.imitation, weights.regularizer)

    // Σ_i Â_i J(o_i), or its surrogate, and its derivatives.
    var (samples, sum) = (0.0, 0.0)
    var (tokens, low, high) = (0, 0, 0)
    for (index, a) in members.samples {
      let sequence = group.sequences[index]
      sum += a
      let scale = -(alpha + lambda) / g / queries
      guard let ratio else {
        samples += a * sequence.meanLogProbability
        gradient[index] = sequence.gradientOfMean(times: scale * a)
        continue
      }
      let length = Double(max(sequence.trainedCount, 1))
      let surrogate = ratio.surrogate(of: sequence, advantages: sequence.perToken(a), scale: 1 / length)
      samples += surrogate.value
      gradient[index] = surrogate.gradient.map { scale * $0 }
      tokens += sequence.trainedCount
      low += surrogate.clippedLow
      high += surrogate.clippedHigh
    }
    let jy = y.meanLogProbability
    gradient[members.reference] = y.gradientOfMean(
      times: -(beta * members.referenceAdvantage - lambda * sum / g) / queries)
    let parts = [
      (name: "exploration", value: alpha * samples / g / queries),
      (name: "imitation", value: beta * members.referenceAdvantage * jy / queries),
      (name: "regularizer", value: lambda * (samples - sum * jy) / g / queries),
    ]
    var diagnostics: [Diagnostic] = []
    if ratio != nil {
      diagnostics = [
        Diagnostic("clip_ratio/low_mean", Double(low), over: Double(tokens)),
        Diagnostic("clip_ratio/high_mean", Double(high), over: Double(tokens)),
        Diagnostic("clip_ratio/region_mean", Double(low + high), over: Double(tokens)),
      ]
    }
    return ObjectiveValue(
      loss: -parts.reduce(0) { $0 + $1.value }, parts: parts, gradient: gradient, diagnostics: diagnostics)
  }

  /// Who takes part: the samples that have an advantage, and a reference that has one.
  private struct Members {
    var samples: [(index: Int, advantage: Double)] = []
    let reference: Int
    let referenceAdvantage: Double

    init?(_ group: ObjectiveGroup) {
      guard let reference = group.sequences.firstIndex(where: { $0.role == .reference }),
        let advantage = group.sequences[reference].advantage
      else { return nil }
      self.reference = reference
      referenceAdvantage = advantage
      for (index, sequence) in group.sequences.enumerated() where sequence.role == .sample {
        if let advantage = sequence.advantage { samples.append((index, advantage)) }
      }
      if samples.isEmpty { return nil }
    }
  }
}

/// The weights of GRAO's three parts at one step.
public struct GRAOWeights: Sendable, Equatable {
  /// Of the samples' advantages.
  public var exploration: Double
  /// β
  public var imitation: Double
  /// λ
  public var regularizer: Double

  /// The paper's constants.
  public init(exploration: Double = 1, imitation: Double = 0.5, regularizer: Double = 0.6) {
    self.exploration = exploration
    self.imitation = imitation
    self.regularizer = regularizer
  }
}
