import Values

/// All rewards of a run, applied to the completions of a step.
struct RewardPanel {
  let rewards: [Reward]
  let onError: RewardErrorPolicy

  /// What all rewards say of one sample.
  struct Score {
    /// Σ weight · value over the rewards that apply; nil where none does, or where one failed.
    var total: Double?
    /// By the reward's name, unweighted, of those that apply.
    var values: [(name: String, value: Double)] = []
    /// By `<reward>/<key>`: what rewards log besides.
    var numbers: [(name: String, value: Double)] = []
    /// The names of those that failed.
    var failures: [String] = []
  }

  /// Scores samples, reward by reward, each in the order of the samples.
  /// - Parameter weights: of each reward, at this step.
  func score(_ samples: [RewardSample], weights: [Double]) throws -> [Score] {
    var scores = samples.map { _ in Score() }
    for (reward, weight) in zip(rewards, weights) {
      for (index, result) in try results(of: reward, for: samples).enumerated() {
        guard case .success(let score) = result else {
          scores[index].failures.append(reward.name)
          continue
        }
        if let value = score.value {
          scores[index].values.append((reward.name, value))
          scores[index].total = (scores[index].total ?? 0) + weight * value
        }
        for (key, number) in score.numbers.sorted(by: { $0.key < $1.key }) {
          scores[index].numbers.append((reward.name + "/" + key, number))
        }
      }
    }
    for index in scores.indices where !scores[index].failures.isEmpty { scores[index].total = nil }
    return scores
  }

  /// The reward's scores; under `stop`, and when the user interrupts, the first failure is thrown.
  private func results(of reward: Reward, for samples: [RewardSample]) throws -> [Result<RewardScore, any Error>] {
    if samples.isEmpty { return [] }
    if reward.scorer.scoresBatches { return try results(of: reward, inOneCall: samples) }
    return try samples.flatMap { try results(of: reward, inOneCall: [$0]) }
  }

  private func results(
    of reward: Reward, inOneCall samples: [RewardSample]
  ) throws -> [Result<RewardScore, any Error>] {
    var results = reward.scorer.score(samples).map { checked($0, reward) }
    if results.count != samples.count {
      let error = GRAOError("reward '\(reward.name)' gave \(results.count) scores for \(samples.count) samples")
      results = samples.map { _ in .failure(error) }
    }
    for case .failure(let error) in results where onError == .stop || (error as? any StoppingError)?.stops == true {
      throw error
    }
    return results
  }

  private func checked(_ result: Result<RewardScore, any Error>, _ reward: Reward) -> Result<RewardScore, any Error> {
    switch result {
    case .failure(let error as GRAOError): return .failure(GRAOError("reward '\(reward.name)': \(error.message)"))
    case .failure: return result
    case .success(let score):
      if let value = score.value, !value.isFinite {
        return .failure(GRAOError("reward '\(reward.name)' returned \(value), which is not a finite number"))
      }
      for (key, number) in score.numbers {
        if RewardMetrics.ownKeys.contains(key) {
          return .failure(GRAOError("reward '\(reward.name)' logs '\(key)', which is a name of the engine's own"))
        }
        if !number.isFinite {
          return .failure(GRAOError("reward '\(reward.name)' logs '\(key)' as \(number), which is not a finite number"))
        }
      }
      return result
    }
  }
}
