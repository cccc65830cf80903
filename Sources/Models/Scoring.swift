import Kernels
import Values

/// Log-probabilities of completions, and their gradient: all that an objective needs of a model.
extension Network {
  /// What the forward pass says of the completion tokens of some trees, branch after branch.
  package struct Scored {
    /// [tree][branch][token], natural logarithms at the temperature asked for.
    package let logp: [[[Float]]]
    /// Mean entropy of the distributions that predicted them, in nats.
    package let entropy: Double
    /// What the routers did; empty where that was not asked for, and for a dense model.
    package let routers: RouterTally
  }

  /// Scores the branches of `trees`; keeps nothing.
  package func logProbabilities(_ trees: [SequenceTree], temperature: Float = 1) -> Scored {
    workspace.reset()
    let (pass, targets) = prepare(trees)
    let hidden = decoder.hidden(pass)
    return scored(trees, decoder.head.score(hidden, targets, temperature: temperature, pass), pass)
  }

  /// Scores the branches of `trees`, asks `gradient` for dLoss/dlogp of the same shape, and adds the gradient of the
  /// loss, the routers' losses among it, to every parameter's.
  ///
  /// - Parameter freezesRouters: whether the routers' own parameters get none.
  package func accumulateGradient(
    _ trees: [SequenceTree], temperature: Float = 1, routerLosses: RouterLosses = RouterLosses(),
    freezesRouters: Bool = false, gradient: (Scored) throws -> [[[Float]]]
  ) rethrows {
    workspace.reset()
    let (pass, targets) = prepare(trees)
    let routers = RouterRecord(pass.batch, balancing: plan.balancing)
    pass.routers = routers
    pass.freezesRouters = freezesRouters
    let (hidden, kept) = decoder.forward(pass)
    if !routerLosses.isNone { pass.routerGradients = RouterGradients(routerLosses, routers) }
    let scores = decoder.head.score(hidden, targets, temperature: temperature, pass)
    let dlogp = workspace.matrix(targets.rows.count, 1)
    var row = 0
    for branch in try gradient(scored(trees, scores, pass)).joined() {
      for value in branch {
        dlogp.start[row] = value
        row += 1
      }
    }
    let dhidden = workspace.zeros(hidden.rows, hidden.columns)
    decoder.head.backward(dlogp, scores, hidden: hidden, addingTo: dhidden, pass)
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

  func prepare(_ trees: [SequenceTree]) -> (Pass, Targets) {
    var batch = TokenBatch()
    var targets = Targets()
    for tree in trees { batch.append(tree, predicting: &targets) }
    return (Pass(batch, parameters: parameters, workspace: workspace), targets)
  }

  private func scored(_ trees: [SequenceTree], _ scores: VocabularyHead.Scores, _ pass: Pass) -> Scored {
    var row = 0
    let logp = trees.map { tree in
      tree.branches.map { branch in
        defer { row += branch.count }
        return Array(scores.logp.elements[row..<row + branch.count])
      }
    }
    let entropy = scores.entropy.elements.reduce(0.0) { $0 + Double($1) } / Double(max(scores.entropy.count, 1))
    return Scored(logp: logp, entropy: entropy, routers: pass.routers?.tally ?? RouterTally())
  }
}
