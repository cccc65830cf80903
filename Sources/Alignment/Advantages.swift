/// How rewards become advantages: Â = (R − μ) / (σ + ε), with μ and σ (1/n) over the group's rewards.
public struct AdvantageOptions: Sendable, Equatable {
  /// Whose rewards μ and σ are taken over.
  public enum Group: String, Sendable, CaseIterable {
    /// The samples and the reference: a query on which every sample fails still teaches.
    case withReference = "with_reference"
    case samples
  }

  public enum Scale: String, Sendable, CaseIterable {
    case std
    /// Â = R − μ
    case none
  }

  public var group: Group
  public var scale: Scale
  public var epsilon: Double

  public init(group: Group = .withReference, scale: Scale = .std, epsilon: Double = 0) {
    self.group = group
    self.scale = scale
    self.epsilon = epsilon
  }

  /// The advantages of G samples and of the reference. Where the group's rewards are exactly equal all are 0, the
  /// reference's too.
  package func advantages(samples: [Double], reference: Double) -> (samples: [Double], reference: Double) {
    let moments = Moments(of: group == .withReference ? samples + [reference] : samples)
    guard moments.deviation > 0 else { return (samples.map { _ in 0 }, 0) }
    let divisor = scale == .std ? moments.deviation + epsilon : 1
    return (samples.map { moments.centered($0) / divisor }, moments.centered(reference) / divisor)
  }
}
