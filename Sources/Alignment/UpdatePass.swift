import Models
import Sampling
import Values

/// The gradient of one optimizer step: groups through the model in passes of bounded size, an objective in between.
struct UpdatePass {
  let network: Network
  let objective: any Objective
  let temperature: Float
  /// Bound on the rows of a pass. One branch with its prompt always fits.
  let microBatchTokens: Int
  /// Whether the weights are still those that sampled: then log-probabilities must be what sampling reported.
  let isFirstUpdate: Bool
  let routers: RouterOptions
  /// Called before each pass.
  let checkInterrupt: () throws -> Void

  /// What a step's passes add up to.
  struct Outcome {
    var loss = 0.0
    /// The objective's parts, in its order.
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

    /// The group with the current policy's log-probabilities.
    func group(logp: [[Float]]) -> ObjectiveGroup {
      var group = group
      for (index, values) in logp.enumerated() { group.sequences[index].logp = values.map(Double.init) }
      return group
    }

    var trainedTokens: Int {
      zip(tree.branches, group.sequences).reduce(0) { total, pair in
        total + (pair.1.mask.map { $0.count { $0 } } ?? pair.0.count)
      }
    }
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
    var portions: [Portion] = []
    var pending: [Query] = []
    var rows = 0
    func flush() {
      if !pending.isEmpty { portions.append(.groups(pending)) }
      (pending, rows) = ([], 0)
    }
    for query in queries {
      if query.tree.rows > microBatchTokens {
        flush()
        portions.append(.pieces(query, query.tree.pieces(ofRows: microBatchTokens)))
        continue
      }
      if rows + query.tree.rows > microBatchTokens { flush() }
      pending.append(query)
      rows += query.tree.rows
    }
    flush()
    return portions
  }

  /// The routers' losses are of the whole step, however it is divided into passes.
  private func routerLosses(_ passes: [[SequenceTree]]) throws -> RouterLosses {
    var losses = routers.losses
    guard !losses.isNone, passes.count > 1 else { return losses }
    var step = RouterTally()
    for trees in passes {
      try checkInterrupt()
      step += network.routerTally(trees, for: losses)
    }
    losses.step = step
    return losses
  }

  /// Whole groups in one pass.
  private func accumulate(
    _ queries: [Query], _ batch: ObjectiveBatch, _ losses: RouterLosses, _ outcome: inout Outcome
  ) throws {
    try network.accumulateGradient(
      queries.map(\.tree), temperature: temperature, routerLosses: losses, freezesRouters: routers.isFrozen
    ) { scored in
      record(scored, &outcome)
      return try zip(queries, scored.logp).map { try evaluate($0, logp: $1, batch, &outcome) }
    }
  }

  /// One group that is too large for a pass: the gradient of each piece by itself. Where the objective's coefficients
  /// depend on the log-probabilities, those of the whole group come first.
  private func accumulate(
    _ query: Query, in pieces: [SequenceTree], _ batch: ObjectiveBatch, _ losses: RouterLosses,
    _ outcome: inout Outcome
  ) throws {
    var logp = query.tree.branches.map { $0.map { _ in Float(0) } }
    if objective.dependsOnLogProbabilities {
      logp = pieces.flatMap { network.logProbabilities([$0], temperature: temperature).logp[0] }
    }
    let gradient = try objective.evaluate(query.group(logp: logp), in: batch).gradient.map { $0.map(Float.init) }
    var branch = 0
    for piece in pieces {
      let branches = branch..<branch + piece.branches.count
      network.accumulateGradient(
        [piece], temperature: temperature, routerLosses: losses, freezesRouters: routers.isFrozen
      ) { scored in
        record(scored, &outcome)
        logp.replaceSubrange(branches, with: scored.logp[0])
        return [Array(gradient[branches])]
      }
      branch = branches.upperBound
    }
    _ = try evaluate(query, logp: logp, batch, &outcome)
  }

  /// dLoss/dlogp of one group, its loss and parts added to the outcome.
  private func evaluate(
    _ query: Query, logp: [[Float]], _ batch: ObjectiveBatch, _ outcome: inout Outcome
  ) throws -> [[Float]] {
    let group = query.group(logp: logp)
    for (index, values) in logp.enumerated() where isFirstUpdate {
      guard let behaviour = group.sequences[index].behaviour else { continue }
      for (now, then) in zip(values, behaviour) {
        outcome.logprobDifference = max(outcome.logprobDifference ?? 0, abs(Double(now) - then))
      }
    }
    let value = try objective.evaluate(group, in: batch)
    outcome.loss += value.loss
    if outcome.parts.isEmpty {
      outcome.parts = value.parts
    } else {
      for (index, part) in value.parts.enumerated() { outcome.parts[index].value += part.value }
    }
    for diagnostic in value.diagnostics {
      if let place = outcome.diagnostics.firstIndex(where: { $0.name == diagnostic.name }) {
        outcome.diagnostics[place].sum += diagnostic.sum
        outcome.diagnostics[place].count += diagnostic.count
      } else {
        outcome.diagnostics.append(diagnostic)
      }
    }
    return value.gradient.map { $0.map(Float.init) }
  }

  private func record(_ scored: Network.Scored, _ outcome: inout Outcome) {
    let tokens = scored.logp.joined().reduce(0) { $0 + $1.count }
    outcome.entropySum += scored.entropy * Double(tokens)
    outcome.tokens += tokens
    outcome.routers += scored.routers
  }
}
