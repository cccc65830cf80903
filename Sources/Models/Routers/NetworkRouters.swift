import Kernels

/// A network's routers: what training may ask of them.
extension Network {
  /// The layers that route.
  private var routers: [SparseFeedForward] { decoder.layers.compactMap(\.body.sparse) }

  /// The routers' trained parameters.
  package var routerParameters: [Parameter] { routers.flatMap(\.router.parameters) }

  /// Whether a bias that is not trained corrects the routers' choices.
  package var hasCorrectionBias: Bool { routers.contains { $0.correction != nil } }

  /// Balances the load without a loss (arXiv 2408.15664, algorithm 1): the correction bias of an expert that got more than
  /// the mean of its layer falls by `speed`, of one that got less rises by it.
  package func updateCorrectionBias(_ tally: RouterTally, speed: Double) {
    parameters.prepareToChange()
    for router in routers {
      guard let correction = router.correction, let layer = tally.layers.first(where: { $0.index == router.layer })
      else { continue }
      let bias = parameters.vector(correction)
      let total = layer.load.reduce(0, +)
      for (expert, load) in layer.load.enumerated() {
        // Against the mean, total / E, in whole numbers.
        let excess = load * layer.load.count - total
        bias.start[expert] -= Float(speed * Double(excess.signum()))
      }
    }
  }

  /// What must be known of each pass of a step before the first one's backward pass: its tokens and sequences, and where
  /// `losses` needs them the choices of its tokens, which takes a forward pass.
  package func routerTally(
    _ trees: [SequenceTree], reading: Reading = .tokens, for losses: RouterLosses
  ) -> RouterTally {
    workspace.reset()
    let (pass, _) = prepare(trees, reading)
    let record = RouterRecord(pass.batch, balancing: plan.balancing)
    if losses.auxiliary > 0, plan.balancing?.isOverTokens == true {
      pass.routers = record
      _ = decoder.hidden(pass)
    }
    return record.tally
  }
}
