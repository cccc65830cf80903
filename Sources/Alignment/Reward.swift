import Sampling
import Values

/// What a reward function sees of one completion.
public struct RewardSample {
  /// Nil where the model has no tokenizer; so are `completion` and `reference`.
  public let prompt: String?
  /// Without the token or stop string that ended it.
  public let completion: String?
  /// The reference answer of the row, where it has one.
  public let reference: String?
  /// The prompt's tokens.
  public let promptIDs: [Int32]
  /// The completion's tokens, with the one that ended it.
  public let ids: [Int32]
  /// Why it ended.
  public let finishReason: FinishReason
  /// The dataset row.
  public let row: Table
  /// The optimizer step that is being prepared, from 1; 0 in an evaluation outside of training.
  public let step: Int
  /// Whether the completion is the reference answer itself.
  public let isReference: Bool
}

/// What a reward says of one completion.
public struct RewardScore: Equatable, Sendable {
  /// Nil where the reward does not apply.
  public var value: Double?
  /// Further numbers for the metrics, where their mean over the samples stands as `rewards/<reward>/<key>`.
  public var numbers: [String: Double]

  /// - Parameter value: nil where the reward does not apply to the sample.
  public init(_ value: Double?, numbers: [String: Double] = [:]) {
    self.value = value
    self.numbers = numbers
  }
}

/// Scores completions: what a user writes in Lua or Swift.
public protocol RewardScorer: AnyObject {
  /// Whether `score` wants all samples of a step in one call; else it gets them one at a time.
  var scoresBatches: Bool { get }

  /// For each sample its score, or what went wrong. The samples stand in row and sample order, each row's reference
  /// after its samples.
  func score(_ samples: [RewardSample]) -> [Result<RewardScore, any Error>]
}

extension RewardScorer {
  /// One sample at a time.
  public var scoresBatches: Bool { false }
}

/// A reward of a run: a name, a weight and what scores.
public struct Reward {
  /// In metrics and messages.
  public let name: String
  /// In the sum of the rewards.
  public let weight: Schedule
  /// What scores.
  public let scorer: any RewardScorer

  /// - Parameters:
  ///   - name: in metrics and messages.
  ///   - weight: in the sum of the rewards.
  public init(name: String, weight: Schedule = .constant(1), scorer: any RewardScorer) {
    self.name = name
    self.weight = weight
    self.scorer = scorer
  }

  func weight(at state: ScheduleState) throws -> Double {
    try weight.value(at: state, option: "rewards.\(name).weight")
  }

  /// A reward from a closure that gets one completion.
  public init(_ name: String, weight: Schedule = .constant(1), _ score: @escaping (RewardSample) throws -> Double?) {
    self.init(name: name, weight: weight, scorer: ClosureScorer(score))
  }
}

private final class ClosureScorer: RewardScorer {
  let closure: (RewardSample) throws -> Double?
  init(_ closure: @escaping (RewardSample) throws -> Double?) { self.closure = closure }
  func score(_ samples: [RewardSample]) -> [Result<RewardScore, any Error>] {
    samples.map { sample in Result { RewardScore(try closure(sample)) } }
  }
}

/// What happens when a reward fails or gives something that is not a finite number. It never counts as 0.
public enum RewardErrorPolicy: String, Sendable {
  /// The run ends with the error.
  case stop
  /// The sample is left out of its group, and counted.
  case skip
}
