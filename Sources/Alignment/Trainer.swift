import Data
import Foundation
import Models
import Sampling
import Values

/// Aligns a model: rows → rollout → rewards → advantages → objective → backward → optimizer, a step at a time.
///
/// `run()` goes to the end by itself; `rollout(_:)` and `step(_:)` let a caller drive.
public final class Trainer {
  /// The policy π_θ.
  public let model: Model
  /// As they were given.
  public let options: TrainingOptions
  /// What has been done so far: all that is needed to go on, besides the weights and the optimizer's moments.
  public private(set) var state: TrainerState
  /// Called often while the trainer works; throws to stop it.
  public var checkInterrupt: () throws -> Void = {}

  private var isRunning = false
  private var schedule: ScheduleState?
  private let optimizer: Optimizer
  private let reader: RowReader
  /// What says what tokens are worth, where a model apart does.
  private let critic: Critic?
  /// The frozen policy, for the methods that measure against one.
  private let reference: ReferenceModel?
  private let panel: RewardPanel
  private let selection: RowSelection

  /// - Throws: where an option is out of its range or does not fit the model, naming it.
  public init(_ model: Model, _ options: TrainingOptions) throws(GRAOError) {
    try model.checkTrainable()
    try options.check()
    try options.routers.check(for: model.network)
    self.model = model
    self.options = options
    reader = RowReader(
      model: model, readsPreference: options.method.needsPreference || options.method == .custom,
      readsMargin: options.method == .reward)
    critic = try model.prepareHeads(options)
    reference = options.usesReferenceModel ? ReferenceModel(freezing: model.network) : nil
    panel = RewardPanel(rewards: options.rewards, onError: options.onRewardError)
    optimizer = Optimizer(
      model.network, options.optimizer, frozen: options.routers.isFrozen ? model.network.routerParameters : [])
    state = TrainerState()
    selection = RowSelection(curriculum: options.curriculum, seed: options.seed)
  }

  /// Optimizer steps that `run()` makes in all.
  public var totalSteps: Int {
    if let steps = options.steps { return steps }
    let (whole, rest) = (options.data?.count ?? 0).quotientAndRemainder(dividingBy: options.promptsPerStep)
    return max(1, rest == 0 ? whole : whole + 1) * options.iterations * options.miniBatches
  }

  // MARK: By hand

  /// Samples completions of rows and scores them. For sft and dpo it only reads the rows.
  public func rollout(_ rows: [Table]) throws -> [Group] {
    try work { try rollout(rows.enumerated().map { ($1, "row \($0 + 1)") }, progress: { _ in }) }
  }

  private func rollout(_ rows: [(row: Table, name: String)], progress: (Int) throws -> Void) throws -> [Group] {
    let queries = try rows.map { row, name throws(GRAOError) in try reader.query(row, name: name) }
    for (query, row) in zip(queries, rows) where query.reference == nil && options.method.needsReference {
      throw GRAOError("\(row.name): method '\(options.method)' needs a column 'reference' (or 'chosen')")
    }
    for (query, row) in zip(queries, rows) where options.samples && query.prompt.count >= model.contextLength {
      throw GRAOError(
        "\(row.name): the prompt has \(query.prompt.count) tokens and leaves no room in the context of "
          + "\(model.contextLength)")
    }
    if options.method.needsPreference { try checkPreference(queries, rows.map(\.name)) }
    state.rollouts += 1
    guard options.samples else {
      return queries.map { Group($0) }
    }
    let schedule = scheduleState
    let weights = try options.rewards.map { try $0.weight(at: schedule) }
    var sampling = options.sampling
    sampling.samples = options.groupSize
    sampling.seed = RandomStream(seed: options.seed, UInt64(state.rollouts)).key
    sampling.logprobs = .temperature(options.objectiveTemperature)
    let rollout = Rollout(
      model: model, panel: panel, weights: weights, step: schedule.step,
      scoresReference: options.scoresReference, passes: passes(queries))
    return try rollout.groups(queries, sampling) { tokens in
      try checkInterrupt()
      try progress(tokens)
    }
  }

  /// Tokens of each pass of the first update, which need not compute again what sampling has; none where it is to.
  private func passes(_ queries: [RowReader.Query]) -> [Int] {
    if options.recomputes { return [] }
    let longest = min(options.sampling.maxNewTokens, model.contextLength)
    let rows = queries.prefix((queries.count - 1) / options.miniBatches + 1).map { query in
      let reference = options.roles.contains(.reference) ? query.reference?.ids.count ?? 0 : 0
      return query.prompt.count + options.groupSize * (longest - 1) + reference
    }
    return PassDivision.sizes(ofRows: rows, bound: options.microBatchTokens)
  }

  private func checkPreference(_ queries: [RowReader.Query], _ names: [String]) throws(GRAOError) {
    for (query, name) in zip(queries, names) {
      switch options.preference {
      case .pairs where query.chosen == nil || query.rejected == nil:
        throw GRAOError("\(name): method '\(options.method)' needs the columns 'chosen' and 'rejected'")
      case .responses where query.chosen == nil && query.rejected == nil:
        throw GRAOError("\(name): method 'dpo' with loss 'kto' needs a column 'chosen' or 'rejected'")
      default: continue
      }
    }
  }

  /// One optimizer step on exactly these groups; their rewards are used as they are.
  /// - Returns: the step's metrics: `loss`, `grad_norm`, and for grao the parts of the objective, among others.
  public func step(_ groups: [Group]) throws -> Table {
    try work {
      let rollout = try prepare(groups)
      return try update(rollout, rollout.queries[...], of: groups, isFirst: true)
    }
  }

  private func preparation(at schedule: ScheduleState) throws -> RolloutPreparation {
    RolloutPreparation(
      reader: GroupReader(model: model, options: options), options: options, reference: reference,
      rewardWeights: try rewardWeights(at: schedule).map(\.weight), checkInterrupt: checkInterrupt)
  }

  private func prepare(_ groups: [Group]) throws -> PreparedRollout {
    let schedule = scheduleState
    var preparation = try preparation(at: schedule)
    if options.method == .ppo {
      preparation.values = ValueEstimation(
        policy: model.network, critic: critic?.network, options: options,
        klCoefficient: try options.kl.coefficient.value(at: schedule, option: "kl.coefficient"),
        checkInterrupt: checkInterrupt)
    }
    return try preparation.prepare(groups, for: options.objective(at: schedule, referencePoint: 0))
  }

  /// One optimizer step on some queries of a rollout.
  /// - Parameter isFirst: whether the weights are still those that sampled.
  private func update(
    _ rollout: PreparedRollout, _ queries: ArraySlice<UpdatePass.Query>, of groups: [Group], isFirst: Bool
  ) throws -> Table {
    let schedule = scheduleState
    let learningRate = try learningRate(at: schedule)
    let outcome = try accumulateGradient(queries, at: schedule, isFirst: isFirst)
    let norms = try changeWeights(learningRate, isStill: queries.isEmpty, at: schedule)
    if options.routers.biasUpdateSpeed > 0 {
      model.network.updateCorrectionBias(outcome.routers, speed: options.routers.biasUpdateSpeed)
    }
    state.step += 1
    if isFirst { state.tokens += rollout.tokens }
    if let every = options.kl.syncEvery, let reference, state.step % every == 0 {
      reference.move(towards: model.network, by: options.kl.mixup)
    }
    var metrics = Table([("step", .integer(state.step)), ("loss", .number(outcome.loss))])
    metrics["grad_norm"] = .number(norms.policy)
    if let norm = norms.critic { metrics["critic_grad_norm"] = .number(norm) }
    metrics["learning_rate"] = .number(learningRate)
    for (name, value) in rollout.metrics { metrics[name] = value }
    RolloutMetrics(groups: groups, rewards: try rewardWeights(at: schedule)).add(to: &metrics)
    try addObjective(outcome, at: schedule, to: &metrics)
    if options.method != .reward {
      metrics["entropy"] = .number(outcome.tokens == 0 ? 0 : outcome.entropySum / Double(outcome.tokens))
    }
    RouterMetrics(tally: outcome.routers, balancing: model.network.plan.balancing).add(to: &metrics)
    if let difference = outcome.logprobDifference { metrics["sampling/logprob_difference"] = .number(difference) }
    if options.samples { metrics["groups/dropped"] = .integer(rollout.dropped) }
    metrics["num_tokens"] = .integer(state.tokens)
    state.metrics = metrics
    return metrics
  }

  private func learningRate(at schedule: ScheduleState) throws -> Double {
    let rate = try options.optimizer.learningRate.value(at: schedule, option: "optimizer.learning_rate")
    guard rate >= 0 else {
      throw GRAOError("option 'optimizer.learning_rate' must be 0 or more, not \(rate) at step \(schedule.step)")
    }
    return rate
  }

  /// The gradient of the loss over some queries, in place of what the models held.
  private func accumulateGradient(
    _ queries: ArraySlice<UpdatePass.Query>, at schedule: ScheduleState, isFirst: Bool
  ) throws -> UpdatePass.Outcome {
    var referencePoint = 0.0
    if case .responses = options.preference, options.method == .dpo {
      referencePoint = try preparation(at: schedule).mismatchedDivergence(queries, policy: model.network)
    }
    let objective = try options.objective(at: schedule, referencePoint: referencePoint)
    let batch = ObjectiveBatch(
      groups: queries.count, sequences: queries.reduce(0) { $0 + $1.group.sequences.count },
      tokens: queries.reduce(0) { $0 + $1.trainedTokens })
    let pass = UpdatePass(
      network: model.network, critic: critic?.network, objective: objective, temperature: options.objectiveTemperature,
      microBatchTokens: options.microBatchTokens, isFirstUpdate: isFirst, routers: options.routers,
      recomputes: options.recomputes, checkInterrupt: checkInterrupt)
    let outcome = try model.train {
      if state.step == 0, options.checksDerivative { try checkDerivative(queries) }
      model.network.zeroGradients()
      critic?.network.zeroGradients()
      return try pass.run(Array(queries), batch: batch)
    }
    guard outcome.loss.isFinite else {
      throw GRAOError("step \(schedule.step): the loss is \(outcome.loss); the model was left as it was")
    }
    return outcome
  }

  /// Changes the policy's weights, and a critic's, by the gradients that they hold.
  /// - Parameter isStill: whether there was nothing to learn from.
  /// - Returns: the gradients' norms before clipping.
  private func changeWeights(
    _ learningRate: Double, isStill: Bool, at schedule: ScheduleState
  ) throws -> (policy: Double, critic: Double?) {
    let norm = isStill ? 0 : optimizer.step(learningRate: learningRate)
    guard norm.isFinite else {
      throw GRAOError("step \(schedule.step): the gradient's norm is \(norm); the model was left as it was")
    }
    let criticNorm = critic.map { isStill ? 0 : $0.step(learningRate: learningRate) }
    guard criticNorm?.isFinite ?? true else {
      throw GRAOError("step \(schedule.step): the norm of the critic's gradient is \(criticNorm ?? 0)")
    }
    guard optimizer.weightsAreFinite, critic?.weightsAreFinite ?? true else {
      throw GRAOError(
        "step \(schedule.step): the update with learning rate \(learningRate) left weights that are not finite numbers")
    }
    return (norm, criticNorm)
  }

  /// Compares a user's derivative with differences, at the current log-probabilities of the first groups.
  private func checkDerivative(_ queries: ArraySlice<UpdatePass.Query>) throws {
    let check = DerivativeCheck(objective: try options.customObjective())
    for (place, query) in queries.prefix(4).enumerated() {
      let outputs = try model.network.outputs(
        [query.tree], reading: .tokens, temperature: options.objectiveTemperature,
        microBatchTokens: options.microBatchTokens, checkInterrupt: checkInterrupt)
      try check.check(query.group(outputs[0]), place: place + 1)
    }
  }

  /// Of rewards that score samples.
  private func rewardWeights(at schedule: ScheduleState) throws -> [(name: String, weight: Double)] {
    guard options.samples else { return [] }
    return try options.rewards.map { (name: $0.name, weight: try $0.weight(at: schedule)) }
  }

  /// What the objective says of the step, and the weights that it was made with.
  private func addObjective(
    _ outcome: UpdatePass.Outcome, at schedule: ScheduleState, to metrics: inout Table
  ) throws {
    if options.method == .grao {
      let weights = try options.componentWeights(at: schedule)
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
    if options.method == .custom {
      for part in outcome.parts { metrics["objective/" + part.name] = .number(part.value) }
    }
    for diagnostic in outcome.diagnostics { metrics[diagnostic.name] = .number(diagnostic.mean) }
    if options.method.isPolicyGradient, options.kl.isUsed {
      metrics["weights/kl"] = .number(try options.kl.coefficient.value(at: schedule, option: "kl.coefficient"))
    }
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
    if options.samples, options.rewards.isEmpty {
      throw GRAOError("grao.train: option 'rewards' is missing: method '\(options.method)' needs at least one")
    }
    if isRunning { throw GRAOError("the trainer is running: its own rewards and curricula cannot run it again") }
    isRunning = true
    defer { isRunning = false }
    return try work { try run(data, observer) }
  }

  private func run(_ data: Dataset, _ observer: (any TrainingObserver)?) throws -> Table {
    try observer?.begins(self)
    let updates = options.iterations * options.miniBatches
    training: while state.step < totalSteps {
      var start = ContinuousClock.now
      let groups = try nextGroups(data, observer)
      let rollout = try prepare(groups)
      for update in 0..<updates where state.step < totalSteps {
        var metrics = try self.update(
          rollout, rollout.part(update % options.miniBatches, of: options.miniBatches), of: groups,
          isFirst: update == 0)
        // The rollout's time is the first update's.
        metrics["step_time"] = .number((ContinuousClock.now - start).seconds)
        start = ContinuousClock.now
        if let rows = options.evaluationData, state.step % (options.evaluateEvery ?? totalSteps) == 0 {
          state.metrics = metrics
          for (name, value) in try evaluation(on: rows) { metrics["eval/" + name] = value }
        }
        state.metrics = metrics
        try observer?.stepped(metrics)
        let seen = ScheduleState(step: state.step, steps: totalSteps, metrics: metrics)
        if let onStep = options.onStep, try !onStep(seen) { break training }
      }
    }
    state.metrics["steps"] = .integer(state.step)
    try observer?.ends(self)
    return state.metrics
  }

  /// The groups of the next rollout: of the next rows, and of more rows in place of those whose rewards are all equal.
  private func nextGroups(_ data: Dataset, _ observer: (any TrainingObserver)?) throws -> [Group] {
    // Without a number of steps a run is one epoch: its last rollout takes what is left.
    let rollouts = state.step / (options.iterations * options.miniBatches)
    let left = options.steps == nil ? data.count - rollouts * options.promptsPerStep : .max
    let wanted = min(options.promptsPerStep, max(left, 1))
    var groups: [Group] = []
    var taken: [Int] = []
    for round in 0...options.resampleRounds {
      var order = state.order
      let rows = try selection.next(
        wanted - groups.count, of: data.rows, after: taken, at: scheduleState, history: state.history, &order)
      state.order = order
      taken += rows
      let drawn = try rollout(rows.map { (data.rows[$0], data.name(ofRow: $0)) }) { tokens in
        try observer?.sampled(tokens: tokens)
      }
      for (row, group) in zip(rows, drawn) {
        state.history[row, default: RowHistory()].record(rewards: group.samples.compactMap(\.reward))
      }
      let isLast = round == options.resampleRounds
      groups += isLast ? drawn : drawn.filter { Moments(of: $0.samples.compactMap(\.reward)).deviation > 0 }
      if groups.count == wanted { break }
    }
    return groups
  }

  private func evaluation(on rows: Dataset) throws -> Table {
    let schedule = ScheduleState(step: state.step, steps: totalSteps, metrics: state.metrics)
    return try evaluate(model, on: rows, rewards: options.rewards, options.evaluation, at: schedule) { _ in
      try checkInterrupt()
    }
  }

  // MARK: Parts of a step

  /// Does `body` while none of the functions that it calls can close the models that are trained, or give them another
  /// head.
  private func work<Result>(_ body: () throws -> Result) throws -> Result {
    try model.checkTrainable()
    if options.method != .reward { try model.checkLanguageModel() }
    try critic?.checkHead()
    guard options.method == .ppo, case .model(let critic) = options.ppo.critic else { return try model.use(body) }
    try critic.checkTrainable()
    return try critic.use { try model.use(body) }
  }

  /// The state that schedules see while step `state.step + 1` is made.
  private var scheduleState: ScheduleState {
    let step = state.step + 1
    if let schedule, schedule.step == step { return schedule }
    let steps = options.steps == nil && options.data == nil ? nil : totalSteps
    var next = ScheduleState(step: step, steps: steps, metrics: state.metrics)
    next.given = ScheduleValues()
    schedule = next
    return next
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
  /// Nothing: not every observer counts tokens.
  public func sampled(tokens: Int) throws {}
}

extension Duration {
  package var seconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}
