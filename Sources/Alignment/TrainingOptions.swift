import Data
import Sampling
import Values

/// The training methods that the engine has.
public enum Method: String, CaseIterable, Sendable {
  /// Supervised fine-tuning on references.
  case sft
  /// Group Relative Alignment Optimization (arXiv 2508.07750).
  case grao
}

/// The weights of GRAO's objective: each a schedule.
public struct ComponentWeights {
  public var exploration: Schedule = .constant(1)
  /// β.
  public var imitation: Schedule = .constant(0.5)
  /// λ.
  public var regularizer: Schedule = .constant(0.6)

  public init() {}
}

/// What a run does. The defaults are the paper's.
public struct TrainingOptions {
  public var method: Method
  public var data: Dataset?
  public var rewards: [Reward] = []
  public var onRewardError = RewardErrorPolicy.stop
  public var weights = ComponentWeights()
  public var curriculum: (any Curriculum)?
  public var advantage = AdvantageOptions()
  public var normalization = Normalization.sequence
  public var promptsPerStep = 64
  public var groupSize = 8
  /// maxNewTokens, temperature (0.7 here), the filters and stop strings; samples and seed are the run's.
  public var sampling: GenerationOptions
  /// The temperature at which objectives see log-probabilities.
  public var logprobTemperature: Float = 1
  public var optimizer = OptimizerOptions()
  /// Bound on the tokens of one forward and backward pass.
  public var microBatchTokens = 2048
  /// Optimizer steps; nil is one epoch.
  public var steps: Int?
  public var seed: UInt64 = 0
  /// Called after each step; false ends the run.
  public var onStep: ((ScheduleState) throws -> Bool)?
  public var evaluationData: Dataset?
  public var evaluateEvery: Int?
  /// Where the run's metrics, options and model go; nil writes nothing.
  public var runDirectory: String?

  public init(method: Method) {
    self.method = method
    sampling = GenerationOptions()
    sampling.temperature = 0.7
  }
}
