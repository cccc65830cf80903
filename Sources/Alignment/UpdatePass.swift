import Models
import Sampling
import Values

/// The gradient of one optimizer step: groups through the model in passes of bounded size, an objective in between.
struct UpdatePass {
  let network: Network
  /// The model that says what tokens are worth, where the policy does not.
  var critic: Network?
  let objective: any Objective
  let temperature: Float
  /// Bound on the rows of a pass. One branch with its prompt always fits.
  let microBatchTokens: Int
  /// Whether the weights are still those that sampled: then log-probabilities must be what sampling reported.
  let isFirstUpdate: Bool
  let routers: RouterOptions
  /// Whether a pass keeps the layers' inputs alone.
  let recomputes: Bool
  /// Called before each pass.
  let checkInterrupt: () throws -> Void

  /// What a step's passes add up to.
  struct Outcome {
    var loss = 0.0
    /// The objective's parts, in its order; what it gives for some groups alone is 0 for the others.
    var parts: [(name: String, value: Double)] = []
    var diagnostics: [Diagnostic] = []
    var entropySum = 0.0
    var tokens = 0
    var routers = RouterTally()
    var logprobDifference: Double?
  }

  /// One query as the model and the objective see it: the branches of the tree are the group's sequences.
  struct Query {
    let tree: SequenceTree
    /// Complete but for `logp`.
    var group: ObjectiveGroup

    /// The group with what the current model says of it.
    func group(_ outputs: Outputs) -> ObjectiveGroup {
      var group = group
      for (index, values) in outputs.logp.enumerated() { group.sequences[index].logp = values.map(Double.init) }
      for (index, values) in outputs.values.enumerated() { group.sequences[index].values = values.map(Double.init) }
      return group
    }

    var trainedTokens: Int {
      zip(tree.branches, group.sequences).reduce(0) { total, pair in
        total + (pair.1.mask.map { $0.count { $0 } } ?? pair.0.count)
      }
    }
  }

  /// Numbers of a group's branches: what the model says of them, or the derivatives by it.
  struct Outputs {
    var logp: [[Float]]
    var values: [[Float]]
  }

  /// What goes through the model together: whole groups in one pass, or one group that is too large for a pass.
  private enum Portion {
    case groups([Query])
    case pieces(Query, [SequenceTree])

    var passes: [[SequenceTree]] {
      switch self {
      case .groups(let queries): [queries.map(\.tree)]
      case .pieces(_, let pieces): pieces.map { [$0] }
      }
    }
  }

  /// Adds the gradient of the loss over all queries, and of the routers' losses, to the network's gradients.
  func run(_ queries: [Query], batch: ObjectiveBatch) throws -> Outcome {
    var outcome = Outcome()
    let portions = portions(queries)
    let losses = try routerLosses(portions.flatMap(\.passes))
    for portion in portions {
      try checkInterrupt()
      switch portion {
      case .groups(let queries): try accumulate(queries, batch, losses, &outcome)
      case .pieces(let query, let pieces): try accumulate(query, in: pieces, batch, losses, &outcome)
      }
    }
    if let balancing = network.plan.balancing, let loss = outcome.routers.auxiliaryLoss(balancing) {
      outcome.loss += losses.auxiliary * loss
    }
    if let loss = outcome.routers.zLoss { outcome.loss += losses.z * loss }
    return outcome
  }

  private func portions(_ queries: [Query]) -> [Portion] {
    PassDivision.passes(ofRows: queries.map(\.tree.rows), bound: microBatchTokens).map { range in
      guard range.count == 1, queries[range.lowerBound].tree.rows > microBatchTokens else {
        return .groups(Array(queries[range]))
      }
      let query = queries[range.lowerBound]
      return .pieces(query, query.tree.pieces(ofRows: microBatchTokens))
    }
  }

  /// The routers' losses are of the whole step, however it is divided into passes.
  private func routerLosses(_ passes: [[SequenceTree]]) throws -> RouterLosses {
    var losses = routers.losses
    guard !losses.isNone, passes.count > 1 else { return losses }
    var step = RouterTally()
    for trees in passes {
      try checkInterrupt()
      step += network.routerTally(trees, reading: reading, for: losses)
    }
    losses.step = step
    return losses
  }

  /// Whole groups in one pass.
  private func accumulate(
    _ queries: [Query], _ batch: ObjectiveBatch, _ losses: RouterLosses, _ outcome: inout Outcome
  ) throws {
    try accumulateGradient(queries.map(\.tree), losses) { scored in
      record(scored, &outcome)
      return try queries.enumerated().map { try evaluate($1, scored.outputs($0), batch, &outcome) }
    }
  }

  /// One group that is too large for a pass: the gradient of each piece by itself. Where the objective's coefficients
  /// depend on the log-probabilities, those of the whole group come first.
  private func accumulate(
    _ query: Query, in pieces: [SequenceTree], _ batch: ObjectiveBatch, _ losses: RouterLosses,
    _ outcome: inout Outcome
  ) throws {
    var outputs = Outputs(logp: query.tree.branches.map { $0.map { _ in Float(0) } }, values: [])
    if objective.dependsOnLogProbabilities {
      let scored = pieces.map { score([$0]) }
      outputs = Outputs(logp: scored.flatMap { $0.logp[0] }, values: scored.flatMap { $0.values[0] })
    }
    let gradient = Outputs(try objective.evaluate(query.group(outputs), in: batch))
    var branch = 0
    for piece in pieces {
      let branches = branch..<branch + piece.branches.count
      accumulateGradient([piece], losses) { scored in
        record(scored, &outcome)
        outputs.logp.replaceSubrange(branches, with: scored.logp[0])
        if !outputs.values.isEmpty { outputs.values.replaceSubrange(branches, with: scored.values[0]) }
        return [gradient.of(branches)]
      }
      branch = branches.upperBound
    }
    _ = try evaluate(query, outputs, batch, &outcome)
  }

  private var reading: Network.Reading {
    switch objective.output {
    case .logProbabilities: .tokens
    case .valuesToo: critic == nil ? .tokensAndValues : .tokens
    case .score: .ends
    }
  }

  /// What the policy, and the critic, say of some trees.
  private func score(_ trees: [SequenceTree]) -> Network.Scored {
    var scored = network.logProbabilities(trees, reading: reading, temperature: temperature)
    if let critic { scored.values = critic.logProbabilities(trees, reading: .values).values }
    return scored
  }

  /// One pass of the policy, within one of the critic where there is one.
  private func accumulateGradient(
    _ trees: [SequenceTree], _ losses: RouterLosses, gradient: (Network.Scored) throws -> [Outputs]
  ) rethrows {
    func policy(_ gradient: (Network.Scored) throws -> [Outputs]) rethrows {
      try network.accumulateGradient(
        trees, reading: reading, temperature: temperature, routerLosses: losses, freezesRouters: routers.isFrozen,
        recomputes: recomputes
      ) { scored in
        let wanted = try gradient(scored)
        return Network.ReadingGradient(logp: wanted.map(\.logp), values: wanted.map(\.values))
      }
    }
    guard let critic else { return try policy(gradient) }
    try critic.accumulateGradient(trees, reading: .values, recomputes: recomputes) { valued in
      var derivatives: [[[Float]]] = []
      try policy { scored in
        var scored = scored
        scored.values = valued.values
        let wanted = try gradient(scored)
        derivatives = wanted.map(\.values)
        return wanted
      }
      return Network.ReadingGradient(values: derivatives)
    }
  }

  /// The derivatives of one group's loss, which is added to the outcome with its parts.
  private func evaluate(
    _ query: Query, _ outputs: Outputs, _ batch: ObjectiveBatch, _ outcome: inout Outcome
  ) throws -> Outputs {
    let group = query.group(outputs)
    for (index, values) in outputs.logp.enumerated() where isFirstUpdate {
      guard let behaviour = group.sequences[index].behaviour else { continue }
      for (now, then) in zip(values, behaviour) {
        outcome.logprobDifference = max(outcome.logprobDifference ?? 0, abs(Double(now) - then))
      }
    }
    let value = try objective.evaluate(group, in: batch)
    outcome.loss += value.loss
    for part in value.parts {
      if let place = outcome.parts.firstIndex(where: { $0.name == part.name }) {
        outcome.parts[place].value += part.value
      } else {
        outcome.parts.append(part)
      }
    }
    for diagnostic in value.diagnostics {
      if let place = outcome.diagnostics.firstIndex(where: { $0.name == diagnostic.name }) {
        outcome.diagnostics[place].sum += diagnostic.sum
        outcome.diagnostics[place].count += diagnostic.count
      } else {
        outcome.diagnostics.append(diagnostic)
      }
    }
    return Outputs(value)
  }

  private func record(_ scored: Network.Scored, _ outcome: inout Outcome) {
    let tokens = scored.logp.joined().reduce(0) { $0 + $1.count }
    outcome.entropySum += scored.entropy * Double(tokens)
    outcome.tokens += tokens
    outcome.routers += scored.routers
  }
}

extension UpdatePass.Outputs {
  /// An objective's derivatives.
  init(_ value: ObjectiveValue) {
    self.init(
      logp: value.gradient.map { $0.map(Float.init) }, values: value.valueGradient.map { $0.map(Float.init) })
  }

  func of(_ branches: Range<Int>) -> Self {
    Self(logp: Array(logp[branches]), values: values.isEmpty ? [] : Array(values[branches]))
  }
}

extension Network.Scored {
  func outputs(_ tree: Int) -> UpdatePass.Outputs { UpdatePass.Outputs(logp: logp[tree], values: values[tree]) }
}
