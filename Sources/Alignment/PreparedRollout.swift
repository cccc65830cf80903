import Models
import Sampling
import Values

/// A rollout as optimizer steps use it, one or several times: what does not change between them is computed once.
struct PreparedRollout {
  /// The groups that teach.
  var queries: [UpdatePass.Query]
  /// Groups that the objective could not use.
  let dropped: Int
  /// Tokens of all groups, prompts included.
  let tokens: Int
  /// What is recorded of it with each of its steps.
  var metrics = Table()

  /// Queries of one of `count` consecutive parts of about the same number.
  func part(_ index: Int, of count: Int) -> ArraySlice<UpdatePass.Query> {
    queries[queries.count * index / count..<queries.count * (index + 1) / count]
  }
}

/// Groups to a prepared rollout: read, given advantages, and scored by the frozen reference.
struct RolloutPreparation {
  let reader: GroupReader
  let options: TrainingOptions
  let reference: ReferenceModel?
  /// Of the run's rewards at this step.
  let rewardWeights: [Double]
  /// For ppo.
  var values: ValueEstimation?
  let checkInterrupt: () throws -> Void

  /// - Parameter objective: which groups it accepts.
  func prepare(_ groups: [Group], for objective: any Objective) throws -> PreparedRollout {
    var queries = try groups.enumerated().map { index, group throws(GRAOError) in
      try reader.query(group, place: index + 1, roles: options.roles)
    }
    if options.roles.contains(.sample), options.method != .ppo {
      var read = queries.map(\.group)
      switch options.rewardAggregation {
      case .sumThenNormalize: options.advantage.assign(to: &read)
      case .normalizeThenSum: options.advantage.assign(to: &read, weights: rewardWeights)
      }
      for (index, group) in read.enumerated() { queries[index].group = group }
    }
    queries = queries.filter { objective.accepts($0.group) }
    if let reference {
      let frozen = try reference.logProbabilities(
        queries.map(\.tree), temperature: options.objectiveTemperature, microBatchTokens: options.microBatchTokens,
        checkInterrupt: checkInterrupt)
      for (query, branches) in frozen.enumerated() {
        for (branch, logp) in branches.enumerated() {
          queries[query].group.sequences[branch].frozen = logp.map(Double.init)
        }
      }
    }
    let metrics = try values?.estimate(&queries)
    return PreparedRollout(
      queries: queries, dropped: groups.count - queries.count, tokens: groups.reduce(0) { $0 + $1.tokenCount },
      metrics: metrics ?? Table())
  }

  /// KTO's z_0: the mean, if positive, of log π_θ − log π_ref over responses given to the next query's prompt.
  func mismatchedDivergence(_ queries: ArraySlice<UpdatePass.Query>, policy: Network) throws -> Double {
    guard let reference, queries.count > 1 else {
      throw GRAOError(
        "method 'dpo' with loss 'kto' needs 2 groups or more in a step: it estimates the KL from responses to other "
          + "prompts")
    }
    let trees = zip(queries, queries.dropFirst() + queries.prefix(1)).map { query, next in
      SequenceTree(prompt: next.tree.prompt, branches: query.tree.branches)
    }
    for tree in trees { try reader.model.checkContext(tree) }
    let (temperature, limit) = (options.objectiveTemperature, options.microBatchTokens)
    let now = try policy.logProbabilities(
      trees, temperature: temperature, microBatchTokens: limit, checkInterrupt: checkInterrupt)
    let frozen = try reference.logProbabilities(
      trees, temperature: temperature, microBatchTokens: limit, checkInterrupt: checkInterrupt)
    var (sum, count) = (0.0, 0)
    for ((query, current), before) in zip(zip(queries, now), frozen) {
      for (index, sequence) in query.group.sequences.enumerated() {
        let response = SequenceTokens(
          role: sequence.role, logp: current[index].map(Double.init), frozen: before[index].map(Double.init),
          mask: sequence.mask)
        sum += response.logProbability - response.frozenLogProbability
        count += 1
      }
    }
    return max(sum / Double(max(count, 1)), 0)
  }
}
