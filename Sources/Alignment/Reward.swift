import Sampling
import Values

/// What a reward function sees of one completion.
public struct RewardSample {
  /// Nil where the model has no tokenizer; so are `completion` and `reference`.
  public let prompt: String?
  public let completion: String?
  /// The reference answer of the row, where it has one.
  public let reference: String?
  /// The prompt's tokens, and the completion's.
  public let promptIDs: [Int32]
  public let ids: [Int32]
  public let finishReason: FinishReason
  /// The dataset row.
  public let row: Table
  /// The optimizer step that is being prepared, from 1; 0 in an evaluation outside of training.
  public let step: Int
  /// Whether the completion is the reference answer itself.
  public let isReference: Bool
}

/// Scores completions: what a user writes in Lua or Swift.
public protocol RewardScorer: AnyObject {
  /// For each sample a number, nil where the reward does not apply to it, or what went wrong. The samples are those of
  /// one row.
  func score(_ samples: [RewardSample]) -> [Result<Double?, any Error>]
}

/// A reward of a run: a name, a weight and what scores.
public struct Reward {
  public let name: String
  public let weight: Schedule
  public let scorer: any RewardScorer

  public init(name: String, weight: Schedule = .constant(1), scorer: any RewardScorer) {
    self.name = name
    self.weight = weight
    self.scorer = scorer
  }

  /// A reward from a closure that gets one completion.
  public init(_ name: String, weight: Schedule = .constant(1), _ score: @escaping (RewardSample) throws -> Double?) {
    self.init(name: name, weight: weight, scorer: ClosureScorer(score))
  }
}

private final class ClosureScorer: RewardScorer {
  let closure: (RewardSample) throws -> Double?
  init(_ closure: @escaping (RewardSample) throws -> Double?) { self.closure = closure }
  func score(_ samples: [RewardSample]) -> [Result<Double?, any Error>] {
    samples.map { sample in Result { try closure(sample) } }
  }
}

/// What happens when a reward fails or gives something that is not a finite number. It never counts as 0.
public enum RewardErrorPolicy: String, Sendable {
  /// The run ends with the error.
  case stop
  /// The sample is left out of its group, and counted.
  case skip
}

/// All rewards of a run, applied to the completions of one row.
struct RewardPanel {
  let rewards: [Reward]
  let onError: RewardErrorPolicy

  struct Score {
    /// Σ weight · value over the rewards that apply; nil where none does, or where one failed.
    var total: Double?
    /// [reward]: unweighted.
    var values: [Double?]
    var failed = false
  }

  /// - Parameter weights: of each reward, at this step.
  func score(_ samples: [RewardSample], weights: [Double]) throws -> [Score] {
    var scores = samples.map { _ in Score(total: nil, values: rewards.map { _ in nil }) }
    for (index, reward) in rewards.enumerated() {
      for (sample, value) in try values(of: reward, for: samples).enumerated() {
        switch value {
        case .success(let value): scores[sample].values[index] = value
        case .failure: scores[sample].failed = true
        }
      }
    }
    for index in scores.indices where !scores[index].failed {
      scores[index].total = RewardTable.total(scores[index].values, weights: weights)
    }
    return scores
  }

  /// The reward's values; under `stop`, and when the user interrupts, the first failure is thrown.
  private func values(of reward: Reward, for samples: [RewardSample]) throws -> [Result<Double?, any Error>] {
    var values = reward.scorer.score(samples).map { checked($0, reward) }
    if values.count != samples.count {
      let error = GRAOError("reward '\(reward.name)' gave \(values.count) scores for \(samples.count) samples")
      values = samples.map { _ in .failure(error) }
    }
    for case .failure(let error) in values where onError == .stop || (error as? any StoppingError)?.stops == true {
      throw error
    }
    return values
  }

  private func checked(_ value: Result<Double?, any Error>, _ reward: Reward) -> Result<Double?, any Error> {
    switch value {
    case .success(let number?) where !number.isFinite:
      .failure(GRAOError("reward '\(reward.name)' returned \(number), which is not a finite number"))
    case .failure(let error as GRAOError): .failure(GRAOError("reward '\(reward.name)': \(error.message)"))
    default: value
    }
  }
}
