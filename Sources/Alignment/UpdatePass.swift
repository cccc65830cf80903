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
  /// Called before each pass.
  let checkInterrupt: () throws -> Void

  /// What a step's passes add up to.
  struct Outcome {
    var loss = 0.0
    /// The objective's parts, in its order.
    var parts: [(name: String, value: Double)] = []
    var entropySum = 0.0
    var tokens = 0
    var routers = RouterTally()
    var logprobDifference: Double?
  }

  /// One query as the model and the objective see it: the branches of the tree are the group's sequences.
  struct Query {
    let tree: SequenceTree
    /// Complete but for `logp`.
    let group: ObjectiveGroup

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
      if !pending.isEmpty { accumulate(pending, batch, &outcome) }
      (pending, rows) = ([], 0)
    }
    for query in queries {
      if query.tree.rows > microBatchTokens {
        try flush()
        accumulateInPieces(query, batch, &outcome)
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
  private func accumulate(_ queries: [Query], _ batch: ObjectiveBatch, _ outcome: inout Outcome) {
    network.accumulateGradient(queries.map(\.tree), temperature: temperature) { scored in
      record(scored, &outcome)
      return zip(queries, scored.logp).map { evaluate($0, logp: $1, batch, &outcome) }
    }
  }

  /// One group that is too large for a pass: the gradient of each piece by itself. Where the objective's coefficients
  /// depend on the log-probabilities, those of the whole group come first.
  private func accumulateInPieces(_ query: Query, _ batch: ObjectiveBatch, _ outcome: inout Outcome) {
    let pieces = pieces(of: query.tree)
    let isLinear = !type(of: objective).dependsOnLogProbabilities
    var logp = query.tree.branches.map { $0.map { _ in Float(0) } }
    if !isLinear {
      logp = pieces.flatMap { network.logProbabilities([$0], temperature: temperature).logp[0] }
    }
    let gradient = objective.evaluate(query.group(logp: logp), in: batch).gradient.map { $0.map(Float.init) }
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
    _ = evaluate(query, logp: logp, batch, &outcome)
  }

  private func pieces(of tree: SequenceTree) -> [SequenceTree] {
    var pieces: [SequenceTree] = []
    var branches: [[Int32]] = []
    for branch in tree.branches {
      if !branches.isEmpty,
        SequenceTree(prompt: tree.prompt, branches: branches + [branch]).rows > microBatchTokens
      {
        pieces.append(SequenceTree(prompt: tree.prompt, branches: branches))
        branches = []
      }
      branches.append(branch)
    }
    return pieces + [SequenceTree(prompt: tree.prompt, branches: branches)]
  }

  /// dLoss/dlogp of one group, its loss and parts added to the outcome.
  private func evaluate(
    _ query: Query, logp: [[Float]], _ batch: ObjectiveBatch, _ outcome: inout Outcome
  ) -> [[Float]] {
    let group = query.group(logp: logp)
    for (index, values) in logp.enumerated() {
      guard let behaviour = group.sequences[index].behaviour else { continue }
      for (now, then) in zip(values, behaviour) {
        outcome.logprobDifference = max(outcome.logprobDifference ?? 0, abs(Double(now) - then))
      }
    }
    let value = objective.evaluate(group, in: batch)
    outcome.loss += value.loss
    if outcome.parts.isEmpty {
      outcome.parts = value.parts
    } else {
      for (index, part) in value.parts.enumerated() { outcome.parts[index].value += part.value }
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
