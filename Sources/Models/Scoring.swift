import Kernels
import Values

/// What a model says of completions, and its gradient: all that an objective needs of a model.
extension Network {
  /// What is read of the branches of a tree.
  package enum Reading: Sendable {
    /// The log-probability of each token.
    case tokens
    /// The same, and the value head's number where each token is predicted.
    case tokensAndValues
    /// The value head's numbers alone.
    case values
    /// The score head's number at the last token of each branch.
    case ends

    var hasTokens: Bool { self == .tokens || self == .tokensAndValues }
  }

  /// What the forward pass says of the completion tokens of some trees, branch after branch.
  package struct Scored {
    /// [tree][branch][token], natural logarithms at the temperature asked for; branches are empty where not read.
    package let logp: [[[Float]]]
    /// [tree][branch][token], or one number for each branch; branches are empty where not read.
    package var values: [[[Float]]]
    /// Mean entropy of the distributions that predicted them, in nats.
    package let entropy: Double
    /// What the routers did; empty where that was not asked for, and for a dense model.
    package let routers: RouterTally
  }

  /// The derivatives of a loss by what was read, in the shapes of ``Scored``.
  package struct ReadingGradient {
    package var logp: [[[Float]]]
    package var values: [[[Float]]]

    package init(logp: [[[Float]]] = [], values: [[[Float]]] = []) {
      self.logp = logp
      self.values = values
    }
  }

  /// Scores the branches of `trees`; keeps nothing.
  package func logProbabilities(
    _ trees: [SequenceTree], reading: Reading = .tokens, temperature: Float = 1
  ) -> Scored {
    workspace.reset()
    let (pass, targets) = prepare(trees, reading)
    let hidden = decoder.hidden(pass)
    let outputs = read(hidden, targets, reading, temperature: temperature, recalling: nil, pass)
    return scored(trees, outputs, reading, pass)
  }

  /// Scores the branches of `trees`, asks `gradient` for dLoss/dlogp of the same shape, and adds the gradient of the
  /// loss, the routers' losses among it, to every parameter's. `gradient` may read the network, but not change it.
  package func accumulateGradient(
    _ trees: [SequenceTree], temperature: Float = 1, routerLosses: RouterLosses = RouterLosses(),
    freezesRouters: Bool = false, recomputes: Bool = false, gradient: (Scored) throws -> [[[Float]]]
  ) rethrows {
    try accumulateGradient(
      trees, reading: .tokens, temperature: temperature, routerLosses: routerLosses, freezesRouters: freezesRouters,
      recomputes: recomputes
    ) {
      ReadingGradient(logp: try gradient($0))
    }
  }

  /// Reads the branches of `trees`, asks `gradient` for the derivatives of the loss by what was read, and adds the
  /// gradient of the loss to every parameter's, the head's among them.
  ///
  /// - Parameters:
  ///   - freezesRouters: whether the routers' own parameters get none.
  ///   - recomputes: whether the way back computes each layer's activations again, which keeps one layer's at a time. The
  ///     gradient is the same bits.
  package func accumulateGradient(
    _ trees: [SequenceTree], reading: Reading, temperature: Float = 1, routerLosses: RouterLosses = RouterLosses(),
    freezesRouters: Bool = false, recomputes: Bool = false, gradient: (Scored) throws -> ReadingGradient
  ) rethrows {
    let recollection = recall(trees, reading)
    defer { if activations?.stays == false { dropActivations() } }
    workspace.reset()
    let (pass, targets) = prepare(trees, reading)
    let routers = RouterRecord(pass.batch, balancing: plan.balancing)
    pass.routers = routers
    pass.freezesRouters = freezesRouters
    let (hidden, kept) =
      recollection.map { decoder.forward(pass, recalling: $0) } ?? decoder.forward(pass, recomputes: recomputes)
    if !routerLosses.isNone { pass.routerGradients = RouterGradients(routerLosses, routers) }
    let dhidden = workspace.zeros(hidden.rows, hidden.columns)
    let mark = workspace.mark
    let outputs = read(hidden, targets, reading, temperature: temperature, recalling: recollection, pass)
    let wanted = try workspace.lend { try gradient(scored(trees, outputs, reading, pass)) }
    if let scores = outputs.tokens {
      decoder.head.backward(column(wanted.logp, like: scores.logp), scores, hidden: hidden, addingTo: dhidden, pass)
    }
    if let scores = outputs.head {
      scoreHead?.backward(column(wanted.values, like: scores.values), scores, addingTo: dhidden, workspace)
    }
    workspace.release(to: mark)
    decoder.backward(dhidden, kept, pass)
  }

  /// The logits [V] that follow the last of `ids`.
  package func logits(after ids: [Int32]) -> [Float] {
    workspace.reset()
    var batch = TokenBatch()
    batch.append(ids)
    batch.endTree()
    let pass = Pass(batch, parameters: parameters, workspace: workspace)
    let hidden = decoder.hidden(pass)
    return Array(decoder.head.logits(hidden.rows(ids.count - 1..<ids.count), pass).elements)
  }

  func prepare(_ trees: [SequenceTree], _ reading: Reading) -> (Pass, Targets) {
    var batch = TokenBatch()
    var targets = Targets(areEnds: reading == .ends)
    for tree in trees { batch.append(tree, predicting: &targets) }
    return (Pass(batch, parameters: parameters, workspace: workspace), targets)
  }

  /// What the heads made of hidden states.
  private struct Outputs {
    var tokens: VocabularyHead.Scores?
    var head: ScoreHead.Scores?
  }

  private func read(
    _ hidden: Matrix, _ targets: Targets, _ reading: Reading, temperature: Float, recalling recollection: Recollection?,
    _ pass: Pass
  ) -> Outputs {
    let kept = recollection?.logits(after: targets.rows, workspace)
    return Outputs(
      tokens: reading.hasTokens
        ? decoder.head.score(hidden, targets, temperature: temperature, kept: kept, pass) : nil,
      head: reading == .tokens ? nil : scoreHead?.forward(hidden, targets, workspace))
  }

  /// Numbers of branches, one after the other, as a matrix of the shape of what they are derivatives by.
  private func column(_ numbers: [[[Float]]], like matrix: Matrix) -> Matrix {
    let column = workspace.zeros(matrix.rows, matrix.columns)
    for (row, value) in numbers.joined().joined().enumerated() { column.start[row] = value }
    return column
  }

  private func scored(_ trees: [SequenceTree], _ outputs: Outputs, _ reading: Reading, _ pass: Pass) -> Scored {
    func split(_ matrix: Matrix?, _ count: (_ branch: [Int32]) -> Int) -> [[[Float]]] {
      var row = 0
      return trees.map { tree in
        tree.branches.map { branch in
          guard let matrix else { return [] }
          defer { row += count(branch) }
          return Array(matrix.elements[row..<row + count(branch)])
        }
      }
    }
    let entropies = outputs.tokens?.entropy
    let entropy = (entropies?.elements.reduce(0.0) { $0 + Double($1) } ?? 0) / Double(max(entropies?.count ?? 0, 1))
    return Scored(
      logp: split(outputs.tokens?.logp) { $0.count },
      values: split(outputs.head?.values) { reading == .ends ? 1 : $0.count }, entropy: entropy,
      routers: pass.routers?.tally ?? RouterTally())
  }
}
