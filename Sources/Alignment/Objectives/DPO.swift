import Foundation

/// Direct preference optimization (arXiv 2305.18290) and its kin: the mean over N pairs of a loss of the margin
/// m = s(y_w) − s(y_l) by which the policy scores the chosen response above the rejected one.
///
///     sigmoid   s = log π_θ(y) − log π_ref(y)            −(1 − ε) log σ(βm) − ε log σ(−βm)    ε: label smoothing
///     hinge     the same s                               max(0, 1 − βm)                       (SLiC, arXiv 2305.10425)
///     ipo       that s by |y|                            (m − 1/(2β))²                        (arXiv 2310.12036)
///     simpo     s = J(y)                                 −log σ(βm − γ)                       (arXiv 2405.14734)
///     orpo      s = log (p / (1 − p)) with p = e^J(y)    −J(y_w) − β log σ(m)                 (arXiv 2403.07691)
///
/// Sums and means run over trained tokens; the last two need no reference policy.
package struct DPOObjective: Objective {
  /// Which loss, and its numbers.
  package var options: DPOOptions

  package init(_ options: DPOOptions = DPOOptions()) { self.options = options }

  package var dependsOnLogProbabilities: Bool { true }
  package var roles: Set<SequenceTokens.Role> { [.chosen, .rejected] }
  package func accepts(_ group: ObjectiveGroup) -> Bool { group.pair != nil }

  package func evaluate(_ group: ObjectiveGroup, in batch: ObjectiveBatch) -> ObjectiveValue {
    var gradient = group.sequences.map { $0.perToken(0) }
    guard let (chosen, rejected) = group.pair else { return ObjectiveValue(loss: 0, gradient: gradient) }
    let (w, l) = (group.sequences[chosen], group.sequences[rejected])
    let (scoreW, scoreL) = (score(of: w), score(of: l))
    let margin = scoreW.value - scoreL.value
    let (value, slope) = loss(of: margin)
    let pairs = Double(max(batch.groups, 1))
    gradient[chosen] = w.perToken(slope * scoreW.perToken / pairs)
    gradient[rejected] = l.perToken(-slope * scoreL.perToken / pairs)
    var loss = value / pairs
    if options.loss == .orpo {
      loss -= w.meanLogProbability / pairs
      for (token, part) in w.gradientOfMean(times: -1 / pairs).enumerated() { gradient[chosen][token] += part }
    }
    return ObjectiveValue(
      loss: loss, gradient: gradient,
      diagnostics: [
        Diagnostic("rewards/chosen", options.beta * scoreW.value),
        Diagnostic("rewards/rejected", options.beta * scoreL.value),
        Diagnostic("rewards/accuracies", margin > 0 ? 1 : 0), Diagnostic("rewards/margins", options.beta * margin),
        Diagnostic("logps/chosen", w.logProbability), Diagnostic("logps/rejected", l.logProbability),
      ])
  }

  /// s(y) and its derivative by the log-probability of each trained token.
  private func score(of y: SequenceTokens) -> (value: Double, perToken: Double) {
    let length = Double(max(y.trainedCount, 1))
    switch options.loss {
    case .sigmoid, .hinge: return (y.logProbability - y.frozenLogProbability, 1)
    case .ipo: return ((y.logProbability - y.frozenLogProbability) / length, 1 / length)
    case .simpo: return (y.meanLogProbability, 1 / length)
    case .orpo:
      let j = y.meanLogProbability
      let complement = -expm1(j)
      return (j - log(complement), 1 / (complement * length))
    }
  }

  /// The loss of a margin, and its derivative.
  private func loss(of margin: Double) -> (value: Double, derivative: Double) {
    let (beta, smoothing) = (options.beta, options.labelSmoothing)
    switch options.loss {
    case .sigmoid:
      return (
        -(1 - smoothing) * logSigmoid(beta * margin) - smoothing * logSigmoid(-beta * margin),
        -(1 - smoothing) * beta * sigmoid(-beta * margin) + smoothing * beta * sigmoid(beta * margin)
      )
    case .hinge: return beta * margin < 1 ? (1 - beta * margin, -beta) : (0, 0)
    case .ipo:
      let distance = margin - 1 / (2 * beta)
      return (distance * distance, 2 * distance)
    case .simpo:
      let logit = beta * margin - options.gamma
      return (-logSigmoid(logit), -beta * sigmoid(-logit))
    case .orpo: return (-beta * logSigmoid(margin), -beta * sigmoid(-margin))
    }
  }
}

/// What is made of a pair of responses.
public struct DPOOptions: Sendable, Equatable {
  /// What is made of the margin between a pair's log-probabilities.
  public enum Loss: String, Sendable, CaseIterable {
    case sigmoid, hinge, ipo, simpo, orpo

    /// Whether it measures against a frozen reference policy.
    public var usesReferenceModel: Bool { self != .simpo && self != .orpo }
  }

  /// Which of the losses.
  public var loss: Loss
  /// β: how firmly the policy is held to the reference; orpo's weight of the odds ratio.
  public var beta: Double
  /// ε: the share of pairs taken to be labelled the wrong way round (sigmoid).
  public var labelSmoothing: Double
  /// γ: the margin that is asked for (simpo).
  public var gamma: Double

  /// The sigmoid loss with β = 0.1, where not given.
  public init(loss: Loss = .sigmoid, beta: Double = 0.1, labelSmoothing: Double = 0, gamma: Double = 0.5) {
    self.loss = loss
    self.beta = beta
    self.labelSmoothing = labelSmoothing
    self.gamma = gamma
  }
}

extension SequenceTokens {
  /// Σ_t log π_ref(x_t | q, x_<t) over trained tokens; 0 without a reference policy.
  var frozenLogProbability: Double {
    guard let frozen else { return 0 }
    return frozen.indices.reduce(0) { isTrained($1) ? $0 + frozen[$1] : $0 }
  }
}

/// 1 / (1 + e^−x), without overflow.
func sigmoid(_ x: Double) -> Double { x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)) }

/// log σ(x), without overflow or loss of digits.
func logSigmoid(_ x: Double) -> Double { min(x, 0) - log1p(exp(-abs(x))) }
