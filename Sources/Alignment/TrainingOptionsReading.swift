import Data
import Kernels
import Sampling
import Values

/// A host object of a script that has a name of its own: a plugin.
public protocol NamedObject: AnyObject {
  var name: String { get }
}

/// A host object of a script that can score many samples in one call: a function.
public protocol BatchScoring: AnyObject {
  var batchScorer: any RewardScorer { get }
}

/// A host object of a script that can be called after each step.
public protocol StepCallback: AnyObject {
  /// False ends the run.
  func call(_ state: ScheduleState) throws -> Bool
}

extension TrainingOptions {
  /// Options as a script gives them, checked against ``schema``, and the model that they train.
  public static func read(_ table: Table) throws(GRAOError) -> (model: Model, options: TrainingOptions) {
    let reader = try schema.read(MethodPreset.apply(to: table, owner: schema.owner))
    let function = try ownObjective(reader)
    let method = try function == nil ? namedMethod(reader) : .custom
    var options = TrainingOptions(method: method)
    options.objectiveFunction = function
    options.checksDerivative = try reader.boolean("check")
    options.customReferenceModel = try reader.boolean("reference_model")
    try options.readRun(reader)
    try options.readObjective(reader)
    try options.readSampling(reader)
    try options.readRatio(reader)
    try options.readKL(try reader.nested("kl"))
    if method == .dpo { try options.readPreference(try reader.nested("dpo")) }
    for (name, owner) in [("ppo", Method.ppo), ("reward_model", .reward)] where reader.has(name) && method != owner {
      throw reader.failure(name, "needs method \(owner), not \(method)")
    }
    if reader.has("ppo") { options.ppo = try PPOOptions(reading: try reader.nested("ppo")) }
    if reader.has("reward_model") {
      options.rewardModel = try RewardModelOptions(reading: try reader.nested("reward_model"))
    }
    try options.readOptimizer(try reader.nested("optimizer"))
    options.routers = try RouterOptions(reading: reader.nested("moe"))
    try refuseUnsupported(reader)
    try options.check()
    return (try reader.object("model", as: Model.self, "a model"), options)
  }

  /// The objective that a script gives in place of a method's name.
  private static func ownObjective(_ reader: OptionReader) throws(GRAOError) -> (any ObjectiveFunction)? {
    if case .string = reader.optional("method") { return nil }
    return try reader.object(
      "method", as: (any ObjectiveFunction).self, "a method's name, a function or an objective plugin")
  }

  private static func namedMethod(_ reader: OptionReader) throws(GRAOError) -> Method {
    let name = try reader.string("method")
    if let method = Method.named.first(where: { $0.rawValue == name }) { return method }
    let known = Method.named.map { "'\($0.rawValue)'" }.joined(separator: ", ")
    throw reader.failure("method", "must be one of \(known), not '\(name)'")
  }

  private mutating func readRun(_ reader: OptionReader) throws(GRAOError) {
    data = try reader.optionalObject("data", as: Dataset.self, "a dataset")
    curriculum = try reader.optionalObject("curriculum", as: (any Curriculum).self, "a function or a curriculum plugin")
    promptsPerStep = try reader.integer("prompts_per_step")
    groupSize = try reader.integer("group_size")
    if let tokens = try reader.optionalInteger("micro_batch_tokens") { microBatchTokens = tokens }
    recomputes = try reader.boolean("recompute")
    steps = try reader.optionalInteger("steps")
    seed = UInt64(bitPattern: Int64(try reader.integer("seed")))
    if let callback = try reader.optionalObject("on_step", as: (any StepCallback).self, "a function") {
      onStep = callback.call
    }
    evaluationData = try reader.optionalObject("eval_data", as: Dataset.self, "a dataset")
    evaluateEvery = try reader.optionalInteger("eval_every")
    runDirectory = try reader.optionalString("run_dir")
  }

  private mutating func readObjective(_ reader: OptionReader) throws(GRAOError) {
    rewards = try Reward.read(reader.has("rewards") ? reader.array("rewards") : [], owner: reader.owner)
    onRewardError = RewardErrorPolicy(rawValue: try reader.string("on_reward_error")) ?? .stop
    normalization = Normalization(rawValue: try reader.string("normalization")) ?? .sequence
    logprobTemperature = try reader.optionalNumber("logprob_temperature").map { Float($0) }
    masksTruncated = try reader.boolean("mask_truncated_completions")
    resampleRounds = try reader.integer("resample_rounds")
    iterations = try reader.optionalInteger("num_iterations") ?? iterations
    miniBatches = try reader.integer("num_mini_batches")
    let parts = try reader.nested("weights")
    func schedule(_ name: String) throws(GRAOError) -> Schedule {
      try Schedule(parts.optional(name) ?? .null, owner: reader.owner, option: "weights." + name)
    }
    weights.exploration = try schedule("exploration")
    weights.imitation = try schedule("imitation")
    weights.regularizer = try schedule("regularizer")
    rewardAggregation = RewardAggregation(rawValue: try reader.string("reward_aggregation")) ?? .sumThenNormalize
    let advantages = try reader.nested("advantage")
    if let group = try advantages.optionalString("group").flatMap(AdvantageOptions.Group.init) {
      advantage.group = group
    }
    advantage.baseline = AdvantageOptions.Baseline(rawValue: try advantages.string("baseline")) ?? .mean
    advantage.scale = AdvantageOptions.Scale(rawValue: try advantages.string("scale")) ?? .std
    advantage.epsilon = try advantages.number("epsilon")
  }

  private mutating func readRatio(_ reader: OptionReader) throws(GRAOError) {
    if reader.has("ratio") {
      let given = try reader.nested("ratio")
      ratio = RatioOptions(
        level: RatioOptions.Level(rawValue: try given.string("level")) ?? .token,
        form: RatioOptions.Form(rawValue: try given.string("form")) ?? .clipped)
    }
    let clip = try reader.nested("clip")
    ratio?.low = try clip.number("low")
    ratio?.high = try clip.number("high")
  }

  private mutating func readKL(_ reader: OptionReader) throws(GRAOError) {
    kl.coefficient = try Schedule(
      reader.optional("coefficient") ?? .null, owner: reader.owner, option: "kl.coefficient")
    kl.estimate = try reader.optionalString("estimate").flatMap(KLEstimate.init) ?? kl.estimate
    kl.syncEvery = try reader.string("reference") == "synchronized" ? try reader.integer("sync_every") : nil
    kl.mixup = try reader.number("mixup")
  }

  private mutating func readPreference(_ reader: OptionReader) throws(GRAOError) {
    let beta = try reader.number("beta")
    if let loss = DPOOptions.Loss(rawValue: try reader.string("loss")) {
      preference = .pairs(
        DPOOptions(
          loss: loss, beta: beta, labelSmoothing: try reader.number("label_smoothing"),
          gamma: try reader.number("gamma")))
    } else {
      preference = .responses(
        KTOOptions(
          beta: beta, desirableWeight: try reader.number("desirable_weight"),
          undesirableWeight: try reader.number("undesirable_weight")))
    }
  }

  private mutating func readSampling(_ reader: OptionReader) throws(GRAOError) {
    sampling = try GenerationOptions(reading: reader)
  }

  private mutating func readOptimizer(_ reader: OptionReader) throws(GRAOError) {
    optimizer.learningRate = try Schedule(
      reader.optional("learning_rate") ?? .null, owner: reader.owner, option: "optimizer.learning_rate")
    let betas = try reader.numbers("betas")
    optimizer.betas = (betas[0], betas[1])
    optimizer.epsilon = try reader.number("eps")
    optimizer.weightDecay = try reader.number("weight_decay")
    optimizer.maxGradNorm = try reader.number("max_grad_norm")
    optimizer.stateType = ComputeType(rawValue: try reader.string("state_dtype")) ?? .float32
  }

  /// What the contract has and this version lacks, so that no script believes it works.
  private static func refuseUnsupported(_ reader: OptionReader) throws(GRAOError) {
    let words = "is not supported by this version of the engine"
    if reader.has("stages") { throw reader.failure("stages", "is for grao.train: a trainer by hand has one stage") }
    if reader.has("checkpoint_every") { throw reader.failure("checkpoint_every", words) }
    if let resume = reader.optional("resume"), resume != false { throw reader.failure("resume", words) }
  }

  /// What no combination of options may ask for.
  func check() throws(GRAOError) {
    let counts = [
      ("prompts_per_step", promptsPerStep), ("group_size", groupSize), ("micro_batch_tokens", microBatchTokens),
      ("max_new_tokens", sampling.maxNewTokens), ("steps", steps ?? 1), ("eval_every", evaluateEvery ?? 1),
      ("num_iterations", iterations), ("num_mini_batches", miniBatches),
    ]
    for (name, count) in counts where count < 1 {
      throw GRAOError("grao.train: option '\(name)' must be at least 1, not \(count)")
    }
    let (completions, overflows) = promptsPerStep.multipliedReportingOverflow(by: groupSize)
    if samples, overflows || completions > 1 << 20 {
      throw GRAOError(
        "grao.train: option 'group_size' is \(groupSize): expected at most \((1 << 20) / promptsPerStep) with "
          + "\(promptsPerStep) prompts_per_step, 1048576 completions a step")
    }
    guard sampling.temperature.isFinite, sampling.temperature >= 0 else {
      throw GRAOError("grao.train: option 'temperature' must be 0 or more, not \(sampling.temperature)")
    }
    try checkObjective()
    var names = Set<String>()
    for reward in rewards where !names.insert(reward.name).inserted {
      throw GRAOError("grao.train: option 'rewards' has two rewards named '\(reward.name)'")
    }
    if evaluateEvery != nil, evaluationData == nil {
      throw GRAOError("grao.train: option 'eval_every' needs option 'eval_data'")
    }
    if evaluationData != nil, rewards.isEmpty {
      throw GRAOError("grao.train: option 'eval_data' needs option 'rewards'")
    }
  }
}

extension Reward {
  /// Rewards as a script lists them: functions, plugins, or tables `{ name =, score =, weight = }`.
  public static func read(_ values: [Value], owner: String) throws(GRAOError) -> [Reward] {
    var rewards: [Reward] = []
    for (index, value) in values.enumerated() {
      let option = "rewards[\(index + 1)]"
      if let scorer = value.object as? any RewardScorer {
        rewards.append(Reward(name: defaultName(of: scorer, index), scorer: scorer))
        continue
      }
      guard let table = value.table else {
        throw GRAOError(
          "\(owner): option '\(option)' must be a function, a reward plugin or a table, not \(value.kind)")
      }
      let schema = OptionSchema(
        owner: "\(owner): \(option)",
        [
          OptionDeclaration("name", .string, "names the reward in metrics"),
          OptionDeclaration("score", .object("a function or a reward plugin"), "what scores"),
          OptionDeclaration("score_batch", .object("a function"), "what scores all samples of a step in one call"),
          OptionDeclaration("weight", .schedule, default: 1, "of its value in the sum"),
        ])
      let reader = try schema.read(table)
      let scorer = try scorer(reader)
      rewards.append(
        Reward(
          name: try reader.optionalString("name") ?? defaultName(of: scorer, index),
          weight: try Schedule(reader.optional("weight") ?? 1, owner: owner, option: option + ".weight"), scorer: scorer
        ))
    }
    return rewards
  }

  private static func scorer(_ reader: OptionReader) throws(GRAOError) -> any RewardScorer {
    guard let batch = try reader.optionalObject("score_batch", as: (any BatchScoring).self, "a function") else {
      return try reader.object("score", as: (any RewardScorer).self, "a function or a reward plugin")
    }
    if reader.has("score") { throw reader.failure("score_batch", "cannot stand beside 'score': give one of them") }
    return batch.batchScorer
  }

  private static func defaultName(of scorer: any RewardScorer, _ index: Int) -> String {
    (scorer as? any NamedObject)?.name ?? "reward\(index + 1)"
  }
}
