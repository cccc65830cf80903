import Data
import Foundation
import Models
import Sampling
import Values

/// Aligns a model: rows → rollout → rewards → advantages → objective → backward → optimizer, a step at a time.
///
/// `run()` goes to the end by itself; `rollout(_:)` and `step(_:)` let a caller drive.
public final class Trainer {
  public let model: Model
  public let options: TrainingOptions
  /// What has been done so far: all that is needed to go on, besides the weights and the optimizer's moments.
  public private(set) var state: TrainerState
  /// Called often while the trainer works; throws to stop it.
  public var checkInterrupt: () throws -> Void = {}

  private var isRunning = false
  private let optimizer: Optimizer
  private let reader: RowReader
  private let panel: RewardPanel
  private let selection: RowSelection

  public init(_ model: Model, _ options: TrainingOptions) throws(GRAOError) {
    try model.checkOpen()
    try options.check()
    self.model = model
    self.options = options
    reader = RowReader(model: model)
    panel = RewardPanel(rewards: options.rewards, onError: options.onRewardError)
    optimizer = Optimizer(model.network, options.optimizer)
    state = TrainerState()
    selection = RowSelection(curriculum: options.curriculum, seed: options.seed)
  }

  /// Optimizer steps that `run()` makes in all.
  public var totalSteps: Int {
    if let steps = options.steps { return steps }
    let (steps, rest) = (options.data?.count ?? 0).quotientAndRemainder(dividingBy: options.promptsPerStep)
    return max(1, rest == 0 ? steps : steps + 1)
  }

  // MARK: By hand

  /// Samples completions of rows and scores them: for grao and its like. For sft it only reads the rows.
  public func rollout(_ rows: [Table]) throws -> [Group] {
    try rollout(rows.enumerated().map { ($1, "row \($0 + 1)") }, progress: { _ in })
  }

  private func rollout(_ rows: [(row: Table, name: String)], progress: (Int) throws -> Void) throws -> [Group] {
    try model.checkOpen()
    let queries = try rows.map { row, name throws(GRAOError) in try reader.query(row, name: name) }
    for (query, row) in zip(queries, rows) where query.reference == nil && options.method.needsReference {
      throw GRAOError("\(row.name): method '\(options.method)' needs a column 'reference' (or 'chosen')")
    }
    state.rollouts += 1
    guard options.method.samples else {
      return queries.map { Group($0) }
    }
    let schedule = scheduleState
    let weights = try options.rewards.map { try $0.weight.value(at: schedule, option: "rewards.\($0.name).weight") }
    var sampling = options.sampling
    sampling.samples = options.groupSize
    sampling.seed = RandomStream(seed: options.seed, UInt64(state.rollouts)).key
    sampling.logprobs = .temperature(options.logprobTemperature)
    let rollout = Rollout(model: model, panel: panel, weights: weights, step: schedule.step)
    return try rollout.groups(queries, sampling) { tokens in
      try checkInterrupt()
      try progress(tokens)
    }
  }

  /// One optimizer step on exactly these groups; their rewards are used as they are.
  /// - Returns: the step's metrics: `loss`, `grad_norm`, and for grao the parts of the objective, among others.
  public func step(_ groups: [Group]) throws -> Table {
    try model.checkOpen()
    let schedule = scheduleState
    let learningRate = try options.optimizer.learningRate.value(at: schedule, option: "optimizer.learning_rate")
    guard learningRate >= 0 else {
      throw GRAOError(
        "option 'optimizer.learning_rate' must be 0 or more, not \(learningRate) at step \(schedule.step)")
    }
    let weights = try componentWeights(at: schedule)
    let objective: any Objective =
      switch options.method {
      case .sft: SFTObjective(normalization: options.normalization)
      case .grao: GRAOObjective(weights: weights, advantage: options.advantage)
      }
    let queries = try queries(groups).filter { objective.accepts($0.group) }
    let batch = ObjectiveBatch(
      groups: queries.count, sequences: queries.reduce(0) { $0 + $1.group.sequences.count },
      tokens: queries.reduce(0) { $0 + $1.trainedTokens })
    model.network.parameters.zeroGradients()
    let pass = UpdatePass(
      network: model.network, objective: objective, temperature: options.logprobTemperature,
      microBatchTokens: options.microBatchTokens, checkInterrupt: checkInterrupt)
    let outcome = try pass.run(queries, batch: batch)
    guard outcome.loss.isFinite else {
      throw GRAOError("step \(schedule.step): the loss is \(outcome.loss); the model was left as it was")
    }
    let gradNorm = queries.isEmpty ? 0 : optimizer.step(learningRate: learningRate)
    guard gradNorm.isFinite else {
      throw GRAOError("step \(schedule.step): the gradient's norm is \(gradNorm); the model was left as it was")
    }
    guard optimizer.weightsAreFinite else {
      throw GRAOError(
        "step \(schedule.step): the update with learning rate \(learningRate) left weights that are not finite numbers")
    }

    state.step += 1
    state.tokens += groups.reduce(0) { $0 + $1.tokenCount }
    var metrics = Table([("step", .integer(state.step)), ("loss", .number(outcome.loss))])
    metrics["grad_norm"] = .number(gradNorm)
    metrics["learning_rate"] = .number(learningRate)
    RolloutMetrics(groups: groups, rewards: options.rewards.map(\.name)).add(to: &metrics)
    if options.method == .grao {
      for (name, weight) in [
        ("exploration", weights.exploration), ("imitation", weights.imitation), ("regularizer", weights.regularizer),
      ] {
        // Without a group that teaches, the objective has no parts.
        let part = outcome.parts.first { $0.name == name }?.value ?? 0
        metrics[name] = .number(part)
        metrics["objective/" + name] = .number(part)
        metrics["weights/" + name] = .number(weight)
      }
    }
    for reward in options.rewards where options.method.samples {
      metrics["weights/" + reward.name] = .number(
        try reward.weight.value(at: schedule, option: "rewards.\(reward.name).weight"))
    }
    metrics["entropy"] = .number(outcome.tokens == 0 ? 0 : outcome.entropySum / Double(outcome.tokens))
    if let violation = outcome.routers.layers.map(\.maximumViolation).max() { metrics["moe/load_max_violation"] = .number(violation) }
    if let difference = outcome.logprobDifference { metrics["sampling/logprob_difference"] = .number(difference) }
    if options.method.samples { metrics["groups/dropped"] = .integer(groups.count - queries.count) }
    metrics["num_tokens"] = .integer(state.tokens)
    state.metrics = metrics
    return metrics
  }

  // MARK: To the end

  /// Trains to the end, or until `onStep` returns false.
  /// - Parameter observer: told of each step; may throw to stop.
  /// - Returns: the last step's metrics, with `steps` made.
  @discardableResult
  public func run(observer: (any TrainingObserver)? = nil) throws -> Table {
    guard let data = options.data else {
      throw GRAOError("grao.train: option 'data' is missing: a dataset is required")
    }
    if options.method.samples, options.rewards.isEmpty {
      throw GRAOError("grao.train: option 'rewards' is missing: method '\(options.method)' needs at least one")
    }
    if isRunning { throw GRAOError("the trainer is running: its own rewards and curricula cannot run it again") }
    isRunning = true
    defer { isRunning = false }
    try observer?.begins(self)
    while state.step < totalSteps {
      let start = ContinuousClock.now
      // Without a number of steps a run is one epoch: its last step takes what is left.
      let left = options.steps == nil ? data.count - state.step * options.promptsPerStep : .max
      var order = state.order
      let rows = try selection.next(
        min(options.promptsPerStep, max(left, 1)), of: data.rows, at: scheduleState, history: state.history, &order)
      state.order = order
      let groups = try rollout(rows.map { (data.rows[$0], data.name(ofRow: $0)) }) { tokens in
        try observer?.sampled(tokens: tokens)
      }
      for (row, group) in zip(rows, groups) {
        state.history[row, default: RowHistory()].record(rewards: group.samples.compactMap(\.reward))
      }
      var metrics = try step(groups)
      metrics["step_time"] = .number((ContinuousClock.now - start).seconds)
      if let rows = options.evaluationData, state.step % (options.evaluateEvery ?? totalSteps) == 0 {
        state.metrics = metrics
        for (name, value) in try evaluation(on: rows) { metrics["eval/" + name] = value }
      }
      state.metrics = metrics
      try observer?.stepped(metrics)
      if let onStep = options.onStep, try !onStep(ScheduleState(step: state.step, steps: totalSteps, metrics: metrics))
      {
        break
      }
    }
    state.metrics["steps"] = .integer(state.step)
    try observer?.ends(self)
    return state.metrics
  }

  private func evaluation(on rows: Dataset) throws -> Table {
    var evaluation = EvaluationOptions()
    evaluation.generation.maxNewTokens = options.sampling.maxNewTokens
    evaluation.generation.stop = options.sampling.stop
    evaluation.onRewardError = options.onRewardError
    let schedule = ScheduleState(step: state.step, steps: totalSteps, metrics: state.metrics)
    return try evaluate(model, on: rows, rewards: options.rewards, evaluation, at: schedule) { _ in
      try checkInterrupt()
    }
  }

  // MARK: Parts of a step

  /// The state that schedules see while step `state.step + 1` is made.
  private var scheduleState: ScheduleState {
    let steps = options.steps == nil && options.data == nil ? nil : totalSteps
    return ScheduleState(step: state.step + 1, steps: steps, metrics: state.metrics)
  }

  private func componentWeights(at state: ScheduleState) throws -> GRAOWeights {
    GRAOWeights(
      exploration: try options.weights.exploration.value(at: state, option: "weights.exploration"),
      imitation: try options.weights.imitation.value(at: state, option: "weights.imitation"),
      regularizer: try options.weights.regularizer.value(at: state, option: "weights.regularizer"))
  }

  /// The groups as trees and objective groups; samples without a reward are left out.
  private func queries(_ groups: [Group]) throws(GRAOError) -> [UpdatePass.Query] {
    var queries: [UpdatePass.Query] = []
    for (index, group) in groups.enumerated() {
      do throws(GRAOError) {
        queries.append(try query(group))
      } catch {
        throw GRAOError("group \(index + 1): \(error.message)")
      }
    }
    return queries
  }

  private func query(_ group: Group) throws(GRAOError) -> UpdatePass.Query {
    var branches: [[Int32]] = []
    var sequences: [SequenceTokens] = []
    for sample in group.samples where options.method.samples && sample.reward != nil {
      try check(sample)
      branches.append(sample.ids)
      sequences.append(
        SequenceTokens(
          role: .sample, logp: [], behaviour: sample.logprobs.map { $0.map(Double.init) }, mask: sample.mask,
          reward: sample.reward))
    }
    if options.method.needsReference {
      guard let reference = group.reference else {
        throw GRAOError("method '\(options.method)' needs a reference, which the group lacks")
      }
      if reference.isEmpty { throw GRAOError("the reference is empty: it must have at least one token") }
      if let reward = group.referenceReward, !reward.isFinite {
        throw GRAOError("the reference's reward is \(reward)")
      }
      branches.append(reference)
      if let mask = group.referenceMask, mask.count != reference.count {
        throw GRAOError("the reference has \(reference.count) ids but \(mask.count) reference_mask")
      }
      sequences.append(
        SequenceTokens(role: .reference, logp: [], mask: group.referenceMask, reward: group.referenceReward))
    }
    let prompt = try model.encode(Prompt.ids(group.prompt))
    for branch in branches { _ = try model.encode(.ids(branch), after: .ids(prompt)) }
    let tree = SequenceTree(prompt: prompt, branches: branches)
    try model.checkContext(tree)
    return UpdatePass.Query(tree: tree, group: ObjectiveGroup(sequences: sequences))
  }

  private func check(_ sample: Group.Sample) throws(GRAOError) {
    if sample.ids.isEmpty { throw GRAOError("a sample is empty: it must have at least one token") }
    if let reward = sample.reward, !reward.isFinite { throw GRAOError("a sample's reward is \(reward)") }
    for (name, count) in [("logprobs", sample.logprobs?.count), ("mask", sample.mask?.count)] {
      if let count, count != sample.ids.count {
        throw GRAOError("a sample has \(sample.ids.count) ids but \(count) \(name)")
      }
    }
  }
}

/// What a trainer tells while it runs.
public protocol TrainingObserver: AnyObject {
  func begins(_ trainer: Trainer) throws
  /// Some tokens were sampled for the step that is being made.
  func sampled(tokens: Int) throws
  func stepped(_ metrics: Table) throws
  func ends(_ trainer: Trainer) throws
}

extension TrainingObserver {
  public func sampled(tokens: Int) throws {}
}

extension Duration {
  package var seconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}

extension Method {
  /// Whether completions are sampled and scored.
  var samples: Bool { self == .grao }
  var needsReference: Bool { true }
}
