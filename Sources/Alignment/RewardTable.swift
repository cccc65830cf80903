/// The raw values that several rewards give to several samples, and what becomes of them.
package struct RewardTable: Sendable {
  /// The rewards' names, which are unique.
  package let names: [String]
  /// For each sample the value of each reward; nil where it does not apply.
  package private(set) var rows: [[Double?]] = []

  package init(names: [String]) { self.names = names }

  /// Adds a sample's values, one for each name.
  package mutating func append(_ values: [Double?]) { rows.append(values) }

  /// Σ weight · value over the rewards that apply to a sample; nil where none does.
  package static func total(_ values: [Double?], weights: [Double]) -> Double? {
    var total: Double?
    for (value, weight) in zip(values, weights) {
      if let value { total = (total ?? 0) + weight * value }
    }
    return total
  }

  /// Mean and deviation of one reward's values, unweighted, over the samples it applies to; nil where there are none.
  package func moments(of reward: Int) -> Moments? {
    let values = rows.compactMap { $0.indices.contains(reward) ? $0[reward] : nil }
    return values.isEmpty ? nil : Moments(of: values)
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
