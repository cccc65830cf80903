import Data
import Sampling
import Values

/// The training methods that the engine has.
public enum Method: String, CaseIterable, Sendable {
  /// Supervised fine-tuning on references.
  case sft
  /// Direct preference optimization (arXiv 2305.18290) and its kin, on pairs of responses.
  case dpo
  /// Group relative policy optimization (arXiv 2402.03300) and its variants.
  case grpo
  /// Proximal policy optimization (arXiv 1707.06347) with a value for each token.
  case ppo
  /// A reward model on pairs of responses (Bradley and Terry).
  case reward
  /// Group Relative Alignment Optimization (arXiv 2508.07750).
  case grao
  /// A function of the user's: ``TrainingOptions/objectiveFunction``.
  case custom

  /// Those that scripts name; a custom one is a function or a plugin.
  static let named = allCases.filter { $0 != .custom }

  var needsReference: Bool { self == .sft || self == .grao }
  /// Whether it learns from responses that somebody has judged.
  var needsPreference: Bool { self == .dpo || self == .reward }
  /// Whether it sees log-probabilities as sampling does.
  var isPolicyGradient: Bool { self == .grpo || self == .ppo }
  /// Whether it trains on what its rows hold, and samples nothing.
  var isOffline: Bool { self == .sft || self == .dpo || self == .reward }
}

/// The weights of GRAO's objective: each a schedule.
public struct ComponentWeights {
  /// Of the samples' advantages.
  public var exploration: Schedule = .constant(1)
  /// β.
  public var imitation: Schedule = .constant(0.5)
  /// λ.
  public var regularizer: Schedule = .constant(0.6)

  /// The paper's constants.
  public init() {}
}

/// What method dpo makes of judged responses.
public enum PreferenceOptions: Sendable, Equatable {
  /// A chosen and a rejected response for each prompt.
  case pairs(DPOOptions)
  /// Responses that are desirable or not, for each prompt one, the other or both (KTO).
  case responses(KTOOptions)

  var usesReferenceModel: Bool {
    switch self {
    case .pairs(let options): options.loss.usesReferenceModel
    case .responses: true
    }
  }
}

/// What holds the policy to a frozen reference model.
public struct KLOptions {
  /// β of the penalty.
  public var coefficient: Schedule = .constant(0)
  /// How the divergence is estimated from the sampled tokens.
  public var estimate = KLEstimate.k3
  /// Optimizer steps after which the reference moves towards the policy; nil keeps the policy as it was at first.
  public var syncEvery: Int?
  /// α: then π_ref ← α π_θ + (1 − α) π_ref.
  public var mixup = 0.6

  /// No penalty: β is 0.
  public init() {}

  var isUsed: Bool { if case .constant(0) = coefficient { false } else { true } }
}

/// What a run does. The defaults are the paper's.
public struct TrainingOptions {
  /// What the run minimises.
  public var method: Method
  /// The loss of method custom.
  public var objectiveFunction: (any ObjectiveFunction)?
  /// Whether a custom objective gets a frozen copy of the policy's log-probabilities.
  public var customReferenceModel = false
  /// Whether a custom objective's derivative is compared with differences at the first step.
  public var checksDerivative = false
  /// The rows that `run()` draws from; a trainer driven by hand needs none.
  public var data: Dataset?
  /// What scores completions; their weighted sum is R.
  public var rewards: [Reward] = []
  /// What becomes of a run whose reward fails.
  public var onRewardError = RewardErrorPolicy.stop
  /// Of grao's three parts.
  public var weights = ComponentWeights()
  /// Which rows come next; nil takes them in a seeded random order.
  public var curriculum: (any Curriculum)?
  /// How rewards become advantages.
  public var advantage: AdvantageOptions
  /// How several rewards become one advantage.
  public var rewardAggregation = RewardAggregation.sumThenNormalize
  /// The importance ratio and its clip; nil has none, which is grao's default.
  public var ratio: RatioOptions?
  /// For grpo and ppo: what holds the policy to a reference model.
  public var kl = KLOptions()
  /// For ppo: its critic and value loss.
  public var ppo = PPOOptions()
  /// For method reward.
  public var rewardModel = RewardModelOptions()
  /// For dpo: its loss.
  public var preference = PreferenceOptions.pairs(DPOOptions())
  /// What the token losses are divided by.
  public var normalization = Normalization.sequence
  /// Whether completions that `max_new_tokens` cut off are left out of the loss; their rewards still count.
  public var masksTruncated = false
  /// How often groups whose rewards are all equal are drawn anew, with other rows, before a step.
  public var resampleRounds = 0
  /// Passes of the optimizer over one rollout.
  public var iterations = 1
  /// Optimizer steps that one pass over a rollout is divided into, by prompts.
  public var miniBatches = 1
  /// Rows of a rollout.
  public var promptsPerStep = 64
  /// G: completions for each prompt.
  public var groupSize = 8
  /// maxNewTokens, temperature (0.7 here), the filters and stop strings; samples and seed are the run's.
  public var sampling: GenerationOptions
  /// The temperature at which objectives see log-probabilities; nil is the sampling temperature for grpo and ppo, 1 for
  /// the others.
  public var logprobTemperature: Float?
  /// AdamW's.
  public var optimizer = OptimizerOptions()
  /// Of a mixture of experts.
  public var routers = RouterOptions()
  /// Bound on the tokens of one forward and backward pass: 4096, or 2048 for methods that sample nothing. What their passes
  /// need takes memory of its own; a rollout leaves it where gradients will be.
  public var microBatchTokens: Int
  /// Whether the way back computes each layer's activations again, so that a pass keeps the layers' inputs alone. The
  /// gradients are the same bits.
  public var recomputes = false
  /// Optimizer steps; nil is one epoch.
  public var steps: Int?
  /// Names every random stream of the run: the same seed, the same bits.
  public var seed: UInt64 = 0
  /// Called after each step; false ends the run.
  public var onStep: ((ScheduleState) throws -> Bool)?
  /// Held-out rows that are evaluated as the run goes.
  public var evaluationData: Dataset?
  /// Optimizer steps from one evaluation to the next; nil: after the last.
  public var evaluateEvery: Int?
  /// How held-out rows are evaluated: with completions as long as those of training.
  var evaluation: EvaluationOptions {
    var evaluation = EvaluationOptions()
    evaluation.generation.maxNewTokens = sampling.maxNewTokens
    evaluation.generation.stop = sampling.stop
    evaluation.onRewardError = onRewardError
    return evaluation
  }
  /// Where the run's metrics, options and model go; nil writes nothing.
  public var runDirectory: String?

  /// The defaults of a method: the table of options in GRAO.docc says which.
  public init(method: Method) {
    self.method = method
    microBatchTokens = method.isOffline ? 2048 : 4096
    advantage = AdvantageOptions(group: method == .grao ? .withReference : .samples)
    ratio = method.isPolicyGradient ? RatioOptions() : nil
    if method == .ppo {
      kl.estimate = .k1
      iterations = 4
    }
    sampling = GenerationOptions()
    sampling.temperature = 0.7
  }

  /// ``logprobTemperature``, or the method's own.
  var objectiveTemperature: Float { logprobTemperature ?? (method.isPolicyGradient ? sampling.temperature : 1) }

  /// Whether the objective measures against a frozen copy of the policy.
  var usesReferenceModel: Bool {
    switch method {
    case .sft, .grao, .reward: false
    case .dpo: preference.usesReferenceModel
    case .grpo, .ppo: kl.isUsed
    case .custom: customReferenceModel
    }
  }

  /// Whether completions are sampled and scored; a custom objective's are, where there are rewards.
  var samples: Bool {
    method == .custom ? !rewards.isEmpty : !method.isOffline
  }

  /// Whether a group's reference is scored as its samples are.
  var scoresReference: Bool { method == .grao || (method == .custom && advantage.group == .withReference) }
}
