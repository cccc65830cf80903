import Kernels

/// A training pass that goes back through what sampling has computed.
extension Network {
  /// Makes room for the activations of the first of these passes, which have so many tokens, or of all where they are few,
  /// in place of what was kept before.
  package func keepActivations(ofPasses passes: [Int]) -> ActivationCache {
    dropActivations()
    workspace.unite()
    let cache = ActivationCache(self, passes: passes)
    workspace.hold()
    activations = cache
    return cache
  }

  package func dropActivations() {
    // What is held may be of the network that this one shares the workspace with.
    guard activations != nil else { return }
    activations = nil
    parameters.takeBack(fromLayer: 0)
    workspace.releaseHeld()
  }

  /// Where the rows of a training pass over `trees` are that sampling has left. Nil, and nothing is kept any longer, where
  /// there are none, or the weights have changed.
  func recall(_ trees: [SequenceTree], _ reading: Reading) -> Recollection? {
    if reading != .ends, let activations, activations.version == parameters.version {
      let recollection = Recollection(trees, in: activations)
      if !recollection.known.rows.isEmpty { return recollection }
    }
    dropActivations()
    return nil
  }

  /// The forward pass, of which only those rows are computed that sampling has not left.
  func forward(_ pass: Pass, recalling recollection: Recollection, _ reading: Reading) -> (
    hidden: Matrix, kept: Decoder.Kept
  ) {
    let missing = recollection.missing
    let fresh = missing.isEmpty ? nil : decoder.forward(prepare(missing, reading).0).kept
    return decoder.forward(pass, recalling: RecalledPass(recollection: recollection, fresh: fresh))
  }
}
