/// How rewards become advantages: Â = (R − b) / (σ + ε), with the baseline b and σ (1/n) over the group's rewards.
public struct AdvantageOptions: Sendable, Equatable {
  /// Whose rewards μ and σ are taken over.
  public enum Group: String, Sendable, CaseIterable {
    /// The samples and the reference: a query on which every sample fails still teaches.
    case withReference = "with_reference"
    case samples
  }

  /// b, what a reward is measured from.
  public enum Baseline: String, Sendable, CaseIterable {
    /// The group's mean.
    case mean
    /// The mean of the group's other rewards (RLOO, arXiv 2402.14740).
    case leaveOneOut = "leave_one_out"
    /// 0 (REINFORCE).
    case none
  }

  /// What the distance to the baseline is divided by.
  public enum Scale: String, Sendable, CaseIterable {
    case std
    /// Nothing: Â = R − b.
    case none
    /// The deviation of all rewards of the step, in place of the group's.
    case batch
  }

  /// Whose rewards an advantage is measured against.
  public var group: Group
  /// What of them is taken off.
  public var baseline: Baseline
  /// What the rest is divided by.
  public var scale: Scale
  /// Added to the deviation that divides.
  public var epsilon: Double

  /// The paper's: a group's rewards with its reference's, less their mean, over their deviation.
  public init(
    group: Group = .withReference, baseline: Baseline = .mean, scale: Scale = .std, epsilon: Double = 0
  ) {
    self.group = group
    self.baseline = baseline
    self.scale = scale
    self.epsilon = epsilon
  }

  /// The advantages of G samples and of the reference, which may have no reward. Where the group's rewards are exactly
  /// equal all are 0, the reference's too; but without a baseline each keeps its reward.
  /// - Parameter batchDeviation: of all rewards of the step, for ``Scale/batch``.
  package func advantages(
    samples: [Double], reference: Double?, batchDeviation: Double = 1
  ) -> (samples: [Double], reference: Double?) {
    var members = samples
    if group == .withReference, let reference { members.append(reference) }
    let moments = Moments(of: members)
    if moments.deviation == 0, baseline != .none { return (samples.map { _ in 0 }, reference.map { _ in 0 }) }
    let deviation =
      switch scale {
      case .std: moments.deviation
      case .batch: batchDeviation
      case .none: 1.0
      }
    let divisor = scale == .none ? 1 : deviation + epsilon
    // R less the mean of the n − 1 others is n / (n − 1) times R − μ; a reward outside of the group has no "others".
    let n = Double(members.count)
    func advantage(_ reward: Double, isMember: Bool) -> Double {
      let distance =
        switch baseline {
        case .mean: moments.centered(reward)
        case .leaveOneOut: moments.centered(reward) * (isMember ? n / (n - 1) : 1)
        case .none: reward
        }
      return divisor > 0 ? distance / divisor : 0
    }
    return (
      samples.map { advantage($0, isMember: true) },
      reference.map { advantage($0, isMember: group == .withReference) }
    )
  }

  /// Sets the advantage of every sample and reference that has a reward.
  package func assign(to groups: inout [ObjectiveGroup]) {
    let deviation = Moments(of: groups.flatMap(rewards)).deviation
    for index in groups.indices {
      let sequences = groups[index].sequences
      let sampled = sequences.indices.filter { sequences[$0].role == .sample && sequences[$0].reward != nil }
      let reference = sequences.firstIndex { $0.role == .reference }
      let result = advantages(
        samples: sampled.compactMap { sequences[$0].reward }, reference: reference.flatMap { sequences[$0].reward },
        batchDeviation: deviation)
      for (place, advantage) in zip(sampled, result.samples) { groups[index].sequences[place].advantage = advantage }
      if let reference { groups[index].sequences[reference].advantage = result.reference }
    }
  }

  /// The rewards of a group that the step's deviation is taken over.
  private func rewards(_ group: ObjectiveGroup) -> [Double] {
    group.sequences.compactMap { sequence in
      switch sequence.role {
      case .sample: sequence.reward
      case .reference: self.group == .withReference ? sequence.reward : nil
      case .chosen, .rejected: nil
      }
    }
  }
}
