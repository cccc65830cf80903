import Sampling
import Values

extension Group {
  /// Tokens that the group's samples (or, without any, its reference or judged responses) take, prompts included.
  var tokenCount: Int {
    let judged = [chosen, rejected].compactMap { $0?.ids }
    let completions = samples.isEmpty ? (judged.isEmpty ? [reference ?? []] : judged) : samples.map(\.ids)
    return completions.reduce(0) { $0 + prompt.count + $1.count }
  }
}

/// What a step records of its rollout, under TRL's names where TRL has one.
struct RolloutMetrics {
  let groups: [Group]
  /// Of the run's rewards at this step.
  let rewards: [(name: String, weight: Double)]

  func add(to metrics: inout Table) {
    for (name, weight) in rewards { metrics["weights/" + name] = .number(weight) }
    let samples = groups.flatMap(\.samples)
    guard !samples.isEmpty else { return }
    if let statistics = RewardStatistics(groups: groups.map { $0.samples.compactMap(\.reward) }) {
      metrics["reward"] = .number(statistics.mean)
      metrics["reward_std"] = .number(statistics.deviation)
      metrics["frac_reward_zero_std"] = .number(statistics.equalShare)
    }
    let references = groups.compactMap(\.referenceReward)
    if !references.isEmpty { metrics["reference_reward"] = .number(Moments(of: references).mean) }
    RewardMetrics(groups: groups, rewards: rewards).add(to: &metrics)
    let count = Double(samples.count)
    metrics["completions/mean_length"] = .number(Double(samples.reduce(0) { $0 + $1.ids.count }) / count)
    metrics["completions/clipped_ratio"] = .number(Double(samples.count { $0.finishReason == .length }) / count)
    metrics["samples/failed"] = .integer(samples.count(where: \.failed))
    metrics["samples/dropped"] = .integer(samples.count { $0.reward == nil })
  }
}
