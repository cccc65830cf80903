import Data
import Sampling
import Values

/// How a model is evaluated.
public struct EvaluationOptions {
  /// How completions are drawn: greedily, one for each row, unless set.
  public var generation: GenerationOptions
  /// A second model whose completions are paired with the first one's by row and index, under the same seed.
  public var baseline: Model?
  /// What becomes of a sample whose reward fails: the error ends the evaluation, unless set.
  public var onRewardError = RewardErrorPolicy.stop

  /// Greedy: one completion a row at temperature 0.
  public init() {
    generation = GenerationOptions()
    generation.temperature = 0
  }
}

/// Scores a model's completions against the references of held-out rows, and against a baseline's completions.
/// - Parameter state: what the weights of rewards see, where they are schedules; a run passes its own.
/// - Returns: the metrics of arXiv 2508.07750 by name: `reward_mean`, `reward_std`, `win`, `tie`, `loss`, `ras`,
///   `ras_with_ties`, and with a baseline `gain`, `decline`, `nag`; all shares lie in 0 … 1. What cannot be said (no
///   row has a reference, say) is absent. Besides, each reward's own metrics, as in a run: `rewards/<name>/mean`, ….
public func evaluate(
  _ model: Model, on data: Dataset, rewards: [Reward], _ options: EvaluationOptions = EvaluationOptions(),
  at state: ScheduleState? = nil, progress: (Int) throws -> Void = { _ in }
) throws -> Table {
  if rewards.isEmpty { throw GRAOError("grao.evaluate: option 'rewards' is empty: at least one is needed") }
  let step = state?.step ?? 0
  let state = state ?? ScheduleState(step: 1, steps: nil)
  let weights = try rewards.map { try $0.weight(at: state) }
  let panel = RewardPanel(rewards: rewards, onError: options.onRewardError)

  func groups(of model: Model) throws -> [Group] {
    try model.use {
      let reader = RowReader(model: model)
      let queries = try data.rows.enumerated().map { index, row throws(GRAOError) in
        try reader.query(row, name: data.name(ofRow: index))
      }
      let rollout = Rollout(model: model, panel: panel, weights: weights, step: step)
      return try rollout.groups(queries, options.generation, progress: progress)
    }
  }

  let evaluated = try groups(of: model)
  let baseline = try options.baseline.map(groups(of:))
  let rows = evaluated.enumerated().map { index, group in
    EvaluationRow(
      samples: group.samples.map(\.reward), reference: group.referenceReward,
      baseline: baseline?[index].samples.map(\.reward) ?? [])
  }
  var metrics = EvaluationMetrics(rows: rows).table
  RewardMetrics(groups: evaluated, rewards: Array(zip(rewards.map(\.name), weights))).add(to: &metrics)
  return metrics
}
