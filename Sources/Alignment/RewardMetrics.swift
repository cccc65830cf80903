import Values

/// What a step or an evaluation records of each reward: `rewards/<name>/…`.
struct RewardMetrics {
  let groups: [Group]
  /// Of the run's rewards at this step.
  let rewards: [(name: String, weight: Double)]

  /// The keys that the engine writes for each reward; what a reward logs besides has others.
  static let ownKeys: Set = ["mean", "std", "weighted_mean", "failed"]

  func add(to metrics: inout Table) {
    let samples = groups.flatMap(\.samples)
    for (name, weight) in rewards {
      let values = samples.flatMap { $0.rewards.filter { $0.name == name }.map(\.value) }
      if !values.isEmpty {
        let moments = Moments(of: values)
        metrics["rewards/\(name)/mean"] = .number(moments.mean)
        metrics["rewards/\(name)/std"] = .number(moments.deviation)
        metrics["rewards/\(name)/weighted_mean"] = .number(weight * moments.mean)
      }
      let failures = groups.flatMap { $0.samples.flatMap(\.failures) + $0.referenceFailures }
      metrics["rewards/\(name)/failed"] = .integer(failures.count { $0 == name })
    }
    for name in Set(samples.flatMap { $0.numbers.map(\.name) }).sorted() {
      let values = samples.flatMap { $0.numbers.filter { $0.name == name }.map(\.value) }
      metrics["rewards/\(name)"] = .number(Moments(of: values).mean)
    }
  }
}

/// The reward metrics of a step over its groups of samples (the references' rewards are not among them).
package struct RewardStatistics: Sendable, Equatable {
  /// The mean reward of all samples: `reward`.
  package let mean: Double
  /// The mean over groups of the deviation within the group: `reward_std`.
  package let deviation: Double
  /// The share of groups whose rewards are all equal: `frac_reward_zero_std`.
  package let equalShare: Double

  /// nil where there is no sample. Groups without samples do not count.
  package init?(groups: [[Double]]) {
    let moments = groups.filter { !$0.isEmpty }.map { Moments(of: $0) }
    guard !moments.isEmpty else { return nil }
    mean = Moments(of: groups.flatMap { $0 }).mean
    deviation = moments.reduce(0) { $0 + $1.deviation } / Double(moments.count)
    equalShare = Double(moments.count { $0.deviation == 0 }) / Double(moments.count)
  }
}
