import Models
import Values

/// The model apart that says what tokens are worth, for ppo.
final class Critic {
  let network: Network
  private let head: ScoreHead?
  private let optimizer: Optimizer

  init(_ network: Network, _ options: OptimizerOptions) throws(GRAOError) {
    try network.addValueHead()
    self.network = network
    head = network.scoreHead
    optimizer = Optimizer(network, options)
  }

  /// Refuses a model that has another head than the one that the optimizer steps.
  func checkHead() throws(GRAOError) {
    if network.scoreHead !== head {
      throw GRAOError("the critic has been made a reward model since the trainer was made: make another trainer")
    }
  }

  /// One update from the gradients that it holds; its norm is clipped apart from the policy's.
  func step(learningRate: Double) -> Double { optimizer.step(learningRate: learningRate) }

  var weightsAreFinite: Bool { optimizer.weightsAreFinite }
}

/// What ppo makes of a rollout before the first update: log-probabilities and values as they were, rewards of tokens,
/// advantages.
struct ValueEstimation {
  let policy: Network
  let critic: Network?
  let options: TrainingOptions
  /// β of the penalty in the rewards.
  let klCoefficient: Double
  let checkInterrupt: () throws -> Void

  /// Completes the samples of the queries, whose frozen log-probabilities are there.
  /// - Returns: metrics of the rollout.
  func estimate(_ queries: inout [UpdatePass.Query]) throws -> Table {
    try score(&queries)
    let kind = options.kl.estimate
    let advantages = GeneralizedAdvantage(gamma: options.ppo.gamma, lambda: options.ppo.lambda)
    var (tokens, sequences, divergences, scores) = (0, 0, 0.0, 0.0)
    var groups = queries.map(\.group)
    for group in groups.indices {
      for (index, sequence) in groups[group].sequences.enumerated() where sequence.trainedCount > 0 {
        let (rewards, divergence) = sequence.tokenRewards(klCoefficient, kind)
        groups[group].sequences[index].estimate = advantages.estimate(
          rewards: rewards, values: sequence.values, isTrained: sequence.isTrained)
        (tokens, sequences) = (tokens + sequence.trainedCount, sequences + 1)
        (divergences, scores) = (divergences + divergence, scores + (sequence.reward ?? 0))
      }
    }
    let explained = groups.explainedVariance
    if options.ppo.whitensAdvantages { groups.whitenAdvantages() }
    for (index, group) in groups.enumerated() { queries[index].group = group }

    var metrics = Table()
    let count = Double(max(sequences, 1))
    metrics["objective/scores"] = .number(scores / count)
    metrics["objective/non_score_reward"] = .number(-klCoefficient * divergences / count)
    metrics["objective/rlhf_reward"] = .number((scores - klCoefficient * divergences) / count)
    if options.usesReferenceModel { metrics["kl"] = .number(divergences / Double(max(tokens, 1))) }
    if let explained { metrics["val/explained_variance"] = .number(explained) }
    return metrics
  }

  /// The values of every token; and, where nobody recorded them, the log-probabilities under the policy that sampled,
  /// which is then the current one.
  private func score(_ queries: inout [UpdatePass.Query]) throws {
    let trees = queries.map(\.tree)
    let lacksBehaviour = queries.contains { $0.group.sequences.contains { $0.behaviour == nil } }
    func outputs(_ network: Network, _ reading: Network.Reading) throws -> [UpdatePass.Outputs] {
      try network.outputs(
        trees, reading: reading, temperature: options.objectiveTemperature, microBatchTokens: options.microBatchTokens,
        checkInterrupt: checkInterrupt)
    }
    let values = try outputs(
      critic ?? policy, critic == nil && lacksBehaviour ? .tokensAndValues : .values)
    let logp = critic != nil && lacksBehaviour ? try outputs(policy, .tokens) : values
    for query in queries.indices {
      for index in queries[query].group.sequences.indices {
        queries[query].group.sequences[index].values = values[query].values[index].map(Double.init)
        let behaviour =
          queries[query].group.sequences[index].behaviour ?? logp[query].logp[index].map(Double.init)
        queries[query].group.sequences[index].behaviour = behaviour
        queries[query].group.sequences[index].logp = behaviour
      }
    }
  }
}

extension [ObjectiveGroup] {
  /// 1 − Var(G − V) / Var(G) over all trained tokens: 1 where the values foresaw the returns, 0 where a constant would
  /// have done as well. Nil where the returns do not differ.
  var explainedVariance: Double? {
    var (returns, errors) = ([Double](), [Double]())
    for sequence in flatMap(\.sequences) {
      guard let estimate = sequence.estimate else { continue }
      for token in estimate.returns.indices where sequence.isTrained(token) {
        returns.append(estimate.returns[token])
        errors.append(estimate.returns[token] - estimate.values[token])
      }
    }
    let (spread, rest) = (Moments(of: returns).deviation, Moments(of: errors).deviation)
    return returns.count > 1 && spread > 0 ? 1 - (rest / spread) * (rest / spread) : nil
  }
}
