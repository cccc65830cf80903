import Foundation

/// The importance ratio r = π_θ / π_old of a policy objective, and how far it may move the policy.
public struct RatioOptions: Sendable, Equatable {
  /// Over what the ratio is taken.
  public enum Level: String, Sendable, CaseIterable {
    /// r_t = π_θ(x_t) / π_old(x_t)
    case token
    /// The same s = exp((1/|x|) Σ_t log r_t) for each token (GSPO, arXiv 2507.18071).
    case sequence
  }

  /// What the ratio weighs.
  public enum Form: String, Sendable, CaseIterable {
    /// min(r Â, clip(r) Â): no gradient from a token that has moved too far (PPO, arXiv 1707.06347).
    case clipped
    /// clip(r) Â log π_θ, the clipped ratio being a constant: every token keeps a gradient (CISPO, arXiv 2506.13585).
    case cispo
  }

  /// Whether each token has its own ratio.
  public var level: Level
  /// What the ratio weighs.
  public var form: Form
  /// The ratio is clipped to 1 − low … 1 + high.
  public var low: Double
  public var high: Double

  /// - Parameters:
  ///   - low, high: 0 or more.
  public init(level: Level = .token, form: Form = .clipped, low: Double = 0.2, high: Double = 0.2) {
    self.level = level
    self.form = form
    self.low = low
    self.high = high
  }

  /// The surrogate of each token of a sequence with advantages Â_t.
  /// - Returns: the sum over trained tokens of `scale` times the surrogate, which is maximised; its derivative by each
  ///   token's log π_θ; and how many trained tokens lay outside the clip where that stops them, below and above.
  func surrogate(
    of sequence: SequenceTokens, advantages: [Double], scale: Double
  ) -> (value: Double, gradient: [Double], clippedLow: Int, clippedHigh: Int) {
    let logRatios = sequence.logp.indices.map { sequence.logRatio($0) }
    let mean = sequence.trainedMean(of: logRatios)
    var gradient = sequence.perToken(0)
    var (value, clippedLow, clippedHigh) = (0.0, 0, 0)
    // Through s, every token of a sequence moves every other's ratio.
    var throughMean = 0.0
    for token in sequence.logp.indices where sequence.isTrained(token) {
      let a = advantages[token]
      let ratio = exp(level == .token ? logRatios[token] : mean)
      let clipped = min(max(ratio, 1 - low), 1 + high)
      if ratio < 1 - low, form == .cispo || a < 0 { clippedLow += 1 }
      if ratio > 1 + high, form == .cispo || a > 0 { clippedHigh += 1 }
      switch form {
      case .cispo:
        value += scale * clipped * a * sequence.logp[token]
        gradient[token] += scale * clipped * a
      case .clipped:
        value += scale * min(ratio * a, clipped * a)
        guard ratio * a <= clipped * a else { continue }
        if level == .token { gradient[token] += scale * ratio * a } else { throughMean += scale * ratio * a }
      }
    }
    if throughMean != 0 {
      let share = throughMean / Double(sequence.trainedCount)
      for token in gradient.indices where sequence.isTrained(token) { gradient[token] += share }
    }
    return (value, gradient, clippedLow, clippedHigh)
  }
}

extension SequenceTokens {
  /// log π_θ(x_t) − log π_old(x_t); 0 where the behaviour policy is the current one.
  func logRatio(_ token: Int) -> Double { behaviour.map { logp[token] - $0[token] } ?? 0 }

  /// The mean over trained tokens; 0 where there are none.
  func trainedMean(of values: [Double]) -> Double {
    let count = trainedCount
    return count > 0 ? values.indices.reduce(0) { isTrained($1) ? $0 + values[$1] : $0 } / Double(count) : 0
  }
}
