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
    /// [layer][expert].
    var expertLoad: [[Int]] = []
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

  /// Adds the gradient of the loss over all queries to the network's gradients.
  func run(_ queries: [Query], batch: ObjectiveBatch) throws -> Outcome {
    var outcome = Outcome()
    var pending: [Query] = []
    var rows = 0
    func flush() throws {
      try checkInterrupt()
      if !pending.isEmpty { try accumulate(pending, batch, &outcome) }
      (pending, rows) = ([], 0)
    }
    for query in queries {
      if query.tree.rows > microBatchTokens {
        try flush()
        try accumulateInPieces(query, batch, &outcome)
        continue
      }
      if rows + query.tree.rows > microBatchTokens { try flush() }
      pending.append(query)
      rows += query.tree.rows
    }
    try flush()
    return outcome
  }

  /// Whole groups in one pass.
  private func accumulate(_ queries: [Query], _ batch: ObjectiveBatch, _ outcome: inout Outcome) throws {
    try network.accumulateGradient(queries.map(\.tree), temperature: temperature) { scored in
      record(scored, &outcome)
      return try zip(queries, scored.logp).map { try evaluate($0, logp: $1, batch, &outcome) }
    }
  }

  /// One group that is too large for a pass: the gradient of each piece by itself. Where the objective's coefficients
  /// depend on the log-probabilities, those of the whole group come first.
  private func accumulateInPieces(_ query: Query, _ batch: ObjectiveBatch, _ outcome: inout Outcome) throws {
    let pieces = query.tree.pieces(ofRows: microBatchTokens)
    var logp = query.tree.branches.map { $0.map { _ in Float(0) } }
    if objective.dependsOnLogProbabilities {
      logp = pieces.flatMap { network.logProbabilities([$0], temperature: temperature).logp[0] }
    }
    let gradient = try objective.evaluate(query.group(logp: logp), in: batch).gradient.map { $0.map(Float.init) }
    var branch = 0
    for piece in pieces {
      let branches = branch..<branch + piece.branches.count
      network.accumulateGradient([piece], temperature: temperature) { scored in
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
    if outcome.expertLoad.isEmpty {
      outcome.expertLoad = scored.expertLoad
    } else {
      for layer in scored.expertLoad.indices {
        for (expert, load) in scored.expertLoad[layer].enumerated() { outcome.expertLoad[layer][expert] += load }
      }
    }
  }
}

extension UpdatePass.Outcome {
  /// Largest share of a layer's routed tokens that one expert got, times the experts, minus 1; the worst layer's.
  var maximumLoadViolation: Double? {
    expertLoad.compactMap { load in
      let total = load.reduce(0, +)
      guard total > 0, let largest = load.max() else { return nil }
      return Double(largest) / Double(total) * Double(load.count) - 1
    }.max()
  }
}
