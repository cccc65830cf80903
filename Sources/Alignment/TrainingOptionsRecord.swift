import Values

extension TrainingOptions {
  /// Every option as it was resolved, for the run's record: the names of ``schema``, host objects in words.
  public var record: Table {
    var table = Table()
    table["method"] = .string(
      method == .custom ? (objectiveFunction as? any NamedObject)?.name ?? "function" : method.rawValue)
    if method == .custom { table["reference_model"] = .boolean(customReferenceModel) }
    if let data { table["data"] = .string("\(data.source) (\(data.count) rows)") }
    table["rewards"] = .array(
      rewards.map { ["name": .string($0.name), "weight": $0.weight.description] })
    table["on_reward_error"] = .string(onRewardError.rawValue)
    if method == .grao {
      table["weights"] = [
        "exploration": weights.exploration.description, "imitation": weights.imitation.description,
        "regularizer": weights.regularizer.description,
      ]
    }
    if samples {
      if method != .ppo {
        table["reward_aggregation"] = .string(rewardAggregation.rawValue)
        table["advantage"] = [
          "group": .string(advantage.group.rawValue), "baseline": .string(advantage.baseline.rawValue),
          "scale": .string(advantage.scale.rawValue), "epsilon": .number(advantage.epsilon),
        ]
      }
      if let ratio {
        table["ratio"] = ["level": .string(ratio.level.rawValue), "form": .string(ratio.form.rawValue)]
        table["clip"] = ["low": .number(ratio.low), "high": .number(ratio.high)]
      }
      table["mask_truncated_completions"] = .boolean(masksTruncated)
      table["resample_rounds"] = .integer(resampleRounds)
      table["num_iterations"] = .integer(iterations)
      table["num_mini_batches"] = .integer(miniBatches)
    }
    if method.isPolicyGradient { table["kl"] = .table(kl.record) }
    if method == .ppo { table["ppo"] = .table(ppo.record) }
    if method == .reward { table["reward_model"] = .table(rewardModel.record) }
    if method == .dpo { table["dpo"] = .table(preference.record) }
    table["curriculum"] = curriculum.map { .string(($0 as? any NamedObject)?.name ?? "function") }
    table["normalization"] = .string(normalization.rawValue)
    table["prompts_per_step"] = .integer(promptsPerStep)
    table["group_size"] = .integer(groupSize)
    table["max_new_tokens"] = .integer(sampling.maxNewTokens)
    table["temperature"] = .number(Double(sampling.temperature))
    table["top_k"] = .integer(sampling.topK)
    table["top_p"] = .number(Double(sampling.topP))
    table["min_p"] = .number(Double(sampling.minP))
    table["stop"] = .array(sampling.stop.map(Value.string))
    table["logprob_temperature"] = .number(Double(objectiveTemperature))
    table["optimizer"] = [
      "learning_rate": optimizer.learningRate.description,
      "betas": [.number(optimizer.betas.0), .number(optimizer.betas.1)], "eps": .number(optimizer.epsilon),
      "weight_decay": .number(optimizer.weightDecay), "max_grad_norm": .number(optimizer.maxGradNorm),
      "state_dtype": .string(optimizer.stateType.rawValue),
    ]
    table["moe"] = routers.record
    table["micro_batch_tokens"] = .integer(microBatchTokens)
    table["recompute"] = .boolean(recomputes)
    table["steps"] = steps.map { .integer($0) }
    table["seed"] = .integer(Int(truncatingIfNeeded: seed))
    if let evaluationData {
      table["eval_data"] = .string("\(evaluationData.source) (\(evaluationData.count) rows)")
    }
    table["eval_every"] = evaluateEvery.map { .integer($0) }
    table["run_dir"] = runDirectory.map { .string($0) }
    return table
  }
}

extension KLOptions {
  fileprivate var record: Table {
    var table: Table = [
      "coefficient": coefficient.description, "estimate": .string(estimate.rawValue),
      "reference": syncEvery == nil ? "initial" : "synchronized",
    ]
    if let syncEvery {
      table["sync_every"] = .integer(syncEvery)
      table["mixup"] = .number(mixup)
    }
    return table
  }
}

extension PreferenceOptions {
  fileprivate var record: Table {
    switch self {
    case .pairs(let options):
      var table: Table = ["loss": .string(options.loss.rawValue), "beta": .number(options.beta)]
      if options.loss == .sigmoid { table["label_smoothing"] = .number(options.labelSmoothing) }
      if options.loss == .simpo { table["gamma"] = .number(options.gamma) }
      return table
    case .responses(let options):
      return [
        "loss": "kto", "beta": .number(options.beta), "desirable_weight": .number(options.desirableWeight),
        "undesirable_weight": .number(options.undesirableWeight),
      ]
    }
  }
}
