import Values

extension TrainingOptions {
  /// What a method cannot do, and why.
  func checkObjective() throws(GRAOError) {
    func refuse(_ option: String, _ words: String) throws(GRAOError) {
      throw GRAOError("grao.train: option '\(option)' \(words)")
    }
    let temperature = objectiveTemperature
    guard temperature.isFinite, temperature > 0 else {
      throw GRAOError("grao.train: option 'logprob_temperature' must be more than 0, not \(temperature)")
    }
    if method == .grao, normalization != .sequence {
      try refuse("normalization", "must be \"sequence\" with method grao")
    }
    if method == .custom {
      if objectiveFunction == nil { try refuse("method", "is custom, but there is no objective function") }
      if normalization != .sequence { try refuse("normalization", "is the objective's own affair: leave it out") }
    } else {
      if checksDerivative { try refuse("check", "needs an objective of your own as method") }
      if customReferenceModel { try refuse("reference_model", "needs an objective of your own as method") }
    }
    if method == .dpo, normalization != .sequence {
      try refuse("normalization", "must be \"sequence\" with method dpo: its losses are of whole responses")
    }
    if method == .sft, normalization == .constant {
      try refuse("normalization", "\"constant\" needs max_new_tokens, and method sft samples nothing")
    }
    if kl.isUsed, !method.isPolicyGradient {
      try refuse(
        "kl.coefficient",
        method == .dpo
          ? "does not apply to method dpo: dpo.beta holds it to the reference" : "needs method grpo or ppo")
    }
    if method == .ppo { try checkPPO() }
    if method == .reward, normalization != .sequence {
      try refuse("normalization", "must be \"sequence\" with method reward: it scores whole responses")
    }
    if method == .reward, evaluationData != nil {
      try refuse("eval_data", "does not apply to method reward: a reward model samples nothing to evaluate")
    }
    if ratio != nil, !method.isPolicyGradient, method != .grao {
      try refuse("ratio", "needs method grpo or grao, not \(method)")
    }
    if advantage.group == .withReference, method == .grpo {
      try refuse("advantage.group", "\"with_reference\" needs method grao: grpo does not score the reference")
    }
    if rewardAggregation == .normalizeThenSum {
      let value = "\"normalize_then_sum\""
      if !samples { try refuse("reward_aggregation", "needs a method that samples, not \(method)") }
      if rewards.isEmpty { try refuse("reward_aggregation", "\(value) needs option 'rewards', for their weights") }
      if advantage.scale != .std || advantage.baseline != .mean {
        let name = advantage.scale != .std ? "scale" : "baseline"
        try refuse("advantage.\(name)", "cannot be chosen with reward_aggregation \(value), which normalises itself")
      }
    }
    if !samples {
      let words =
        method == .custom ? "needs samples, and so rewards" : "needs a method that samples, not \(method)"
      if iterations > 1 { try refuse("num_iterations", words) }
      if miniBatches > 1 { try refuse("num_mini_batches", words) }
      if masksTruncated { try refuse("mask_truncated_completions", words) }
      if resampleRounds > 0 { try refuse("resample_rounds", words) }
    }
    if iterations * miniBatches > 1, method == .grao, ratio == nil {
      try refuse(
        iterations > 1 ? "num_iterations" : "num_mini_batches",
        "above 1 needs option 'ratio' with method grao: without a ratio a rollout is on policy for one step only")
    }
    if miniBatches > promptsPerStep {
      try refuse("num_mini_batches", "is \(miniBatches), but there are \(promptsPerStep) prompts_per_step")
    }
    if case .pairs(let pairs) = preference, method == .dpo {
      if pairs.beta <= 0 { try refuse("dpo.beta", "must be more than 0, or the loss does not depend on the policy") }
      if pairs.labelSmoothing > 0, pairs.loss != .sigmoid {
        try refuse("dpo.label_smoothing", "needs loss \"sigmoid\", not \"\(pairs.loss)\"")
      }
    }
    if case .responses(let responses) = preference, method == .dpo, responses.beta <= 0 {
      try refuse("dpo.beta", "must be more than 0, or the loss does not depend on the policy")
    }
  }

  private func checkPPO() throws(GRAOError) {
    func refuse(_ option: String, _ words: String) throws(GRAOError) {
      throw GRAOError("grao.train: option '\(option)' \(words)")
    }
    if advantage != AdvantageOptions(group: .samples) {
      try refuse("advantage", "does not apply to method ppo, whose advantages come from values (ppo.gae_lambda)")
    }
    if let ratio, ratio.level != .token || ratio.form != .clipped {
      try refuse("ratio", "does not apply to method ppo: it has a clipped ratio for each token")
    }
    if resampleRounds > 0 {
      try refuse("resample_rounds", "does not apply to method ppo: a group of equal rewards teaches it too")
    }
  }
}
