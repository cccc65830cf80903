/// What a method maximises, as a pure function on per-token log-probabilities: it knows nothing of layers, and the
/// model nothing of rewards.
///
/// An optimizer step is one call over a batch of groups. The loss of the call is the sum of the groups' losses, each of
/// which already carries the batch's normaliser; so groups can be evaluated one at a time, in any partition.
package protocol Objective {
  /// False where the gradient is the same whatever the log-probabilities are. Then it is known before the forward pass
  /// (`evaluate` with any finite `logp` gives it), and forward and backward can be one pass.
  var dependsOnLogProbabilities: Bool { get }

  /// What it reads of the model beside, or in place of, log-probabilities.
  var output: ModelOutput { get }

  /// The sequences of a group that it reads.
  var roles: Set<SequenceTokens.Role> { get }

  /// Whether the group can teach anything: the others are dropped, counted, and not part of the batch's counts.
  func accepts(_ group: ObjectiveGroup) -> Bool

  /// The group's share of the call's loss, and its gradient. A group that is not accepted gives zeros.
  func evaluate(_ group: ObjectiveGroup, in batch: ObjectiveBatch) throws -> ObjectiveValue
}

extension Objective {
  /// Log-probabilities alone, unless an objective says otherwise.
  package var output: ModelOutput { .logProbabilities }
}

/// What an objective reads of the model for each sequence, and gives the derivatives by.
package enum ModelOutput: Sendable {
  /// Of each token.
  case logProbabilities
  /// And a value of each token.
  case valuesToo
  /// A score of the whole sequence, and no log-probabilities.
  case score
}

/// One sequence of tokens x given its query q, by what the policies say of each token.
package struct SequenceTokens: Sendable {
  /// What a sequence is in its group.
  package enum Role: Sendable { case sample, reference, chosen, rejected }

  /// What this one is.
  package var role: Role
  /// log π_θ(x_t | q, x_<t) under the policy in training. Shape [T], as all arrays here.
  package var logp: [Double]
  /// The same under the policy that sampled the tokens; nil where that is the current one.
  package var behaviour: [Double]?
  /// The same under the frozen reference policy.
  package var frozen: [Double]?
  /// False for tokens not to train on, as tool output; nil where all are trained.
  package var mask: [Bool]?
  /// R(x, y); nil where no reward applies. A sample without one is left out.
  package var reward: Double?
  /// Each reward's own value, in the run's order; nil where it does not apply.
  package var rewards: [Double?] = []
  /// V of each token; or the sequence's score alone; empty where the objective reads neither.
  package var values: [Double] = []
  /// What the rollout made of its rewards and values, for ppo.
  package var estimate: ValueEstimate?
  /// Â, which ``AdvantageOptions`` assigns from the group's rewards; nil where the sequence has none.
  package var advantage: Double?

  package init(
    role: Role, logp: [Double], behaviour: [Double]? = nil, frozen: [Double]? = nil, mask: [Bool]? = nil,
    reward: Double? = nil, advantage: Double? = nil
  ) {
    self.role = role
    self.logp = logp
    self.behaviour = behaviour
    self.frozen = frozen
    self.mask = mask
    self.reward = reward
    self.advantage = advantage
  }
}

/// The sequences of one query.
package struct ObjectiveGroup: Sendable {
  /// In the order in which gradients are given for them.
  package var sequences: [SequenceTokens]
  /// By how much more the chosen response should be scored, for reward models.
  package var margin = 0.0

  package init(sequences: [SequenceTokens], margin: Double = 0) {
    self.sequences = sequences
    self.margin = margin
  }
}

extension ObjectiveGroup {
  /// Where the chosen and the rejected response stand; nil where one is missing.
  var pair: (chosen: Int, rejected: Int)? {
    guard let chosen = sequences.firstIndex(where: { $0.role == .chosen }),
      let rejected = sequences.firstIndex(where: { $0.role == .rejected })
    else { return nil }
    return (chosen, rejected)
  }
}

/// What the losses of one call are divided by, over its accepted groups.
package struct ObjectiveBatch: Sendable {
  /// Queries.
  package var groups: Int
  /// Sequences that the objective trains on.
  package var sequences: Int
  /// Their trained (unmasked) tokens.
  package var tokens: Int

  package init(groups: Int, sequences: Int, tokens: Int) {
    self.groups = groups
    self.sequences = sequences
    self.tokens = tokens
  }
}

/// What an objective makes of one group.
package struct ObjectiveValue {
  /// This group's contribution to the call's loss, which is minimised.
  package var loss: Double
  /// The objective's parts by name, weights and normaliser applied, with the sign of what is maximised.
  package var parts: [(name: String, value: Double)] = []
  /// ∂loss/∂logp, for each sequence of the group and each of its tokens; 0 where masked.
  package var gradient: [[Double]]
  /// ∂loss/∂value, for each sequence and each of its values; empty where the objective reads none.
  package var valueGradient: [[Double]]
  /// What a step records besides: each a mean over the call's groups.
  package var diagnostics: [Diagnostic] = []

  package init(
    loss: Double, parts: [(name: String, value: Double)] = [], gradient: [[Double]], valueGradient: [[Double]] = [],
    diagnostics: [Diagnostic] = []
  ) {
    self.loss = loss
    self.parts = parts
    self.gradient = gradient
    self.valueGradient = valueGradient
    self.diagnostics = diagnostics
  }
}

/// A mean that is taken over all groups of a call, as the sum and the number of what it is taken of.
package struct Diagnostic: Equatable {
  /// The metric's.
  package let name: String
  /// Over the groups so far.
  package var sum: Double
  /// What the sum is divided by.
  package var count: Double

  package init(_ name: String, _ sum: Double, over count: Double = 1) {
    self.name = name
    self.sum = sum
    self.count = count
  }

  /// 0 where there is nothing to take it of.
  package var mean: Double { count > 0 ? sum / count : 0 }
}

extension SequenceTokens {
  /// Whether the loss counts a token, by its index.
  package func isTrained(_ token: Int) -> Bool {
    guard let mask, token < mask.count else { return true }
    return mask[token]
  }

  /// |x|: the number of tokens that are trained on.
  package var trainedCount: Int { logp.indices.count { isTrained($0) } }

  /// Σ_t log π_θ(x_t | q, x_<t) over trained tokens.
  package var logProbability: Double {
    logp.indices.reduce(0) { isTrained($1) ? $0 + logp[$1] : $0 }
  }

  /// J(x) = (1/|x|) Σ_t log π_θ(x_t | q, x_<t) over trained tokens; 0 where there are none.
  package var meanLogProbability: Double { trainedCount > 0 ? logProbability / Double(trainedCount) : 0 }

  /// The same number for each trained token, 0 for the others.
  package func perToken(_ value: Double) -> [Double] { logp.indices.map { isTrained($0) ? value : 0 } }

  /// ∂(c · J)/∂logp for a coefficient c of J(x).
  package func gradientOfMean(times coefficient: Double) -> [Double] {
    perToken(trainedCount > 0 ? coefficient / Double(trainedCount) : 0)
  }
}
