import Kernels

/// A training pass that goes back through what other passes have computed: those of sampling, and one over the rest.
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

  /// Where the rows of a training pass over `trees` are: those that sampling has left, and the others, which are computed
  /// to lie beside them. Nil, and nothing is kept any longer, where there is no room for them, or the weights have changed.
  func recall(_ trees: [SequenceTree], _ reading: Reading) -> Recollection? {
    if reading != .ends, let activations, activations.version == parameters.version {
      complete(activations, for: trees)
      if let recollection = Recollection(trees, in: activations) { return recollection }
    }
    dropActivations()
    return nil
  }

  /// Computes the rows of some trees that a cache lacks, in place of others where it is full. Where there is no room for
  /// them either it stays incomplete, and what it names is not all there.
  private func complete(_ cache: ActivationCache, for trees: [SequenceTree]) {
    let missing = cache.missing(of: trees)
    guard !missing.isEmpty else { return }
    cache.makeRoom(missing.reduce(0) { $0 + $1.rows }, beside: trees)
    workspace.reset()
    let (pass, _) = prepare(missing, .tokens)
    var moves = RowMoves()
    // Whose logits are read.
    var (rows, ends) = ([Int32](), RowMoves())
    var row = 0
    func keep(_ slots: [Int32], readFrom first: Int) {
      for (offset, slot) in slots.enumerated() {
        moves.append(row + offset, to: Int(slot))
        guard offset >= first else { continue }
        ends.append(rows.count, to: Int(slot))
        rows.append(Int32(row + offset))
      }
    }
    for tree in missing {
      if cache.slots(ofPrompt: tree.prompt) == nil {
        guard let slots = cache.take(tree.prompt.count) else { return }
        keep(slots, readFrom: slots.count - 1)
        cache.name(slots, prompt: tree.prompt)
      }
      row += tree.prompt.count
      for branch in tree.branches where branch.count > 1 {
        if cache.slots(of: branch, after: tree.prompt) == nil {
          guard let slots = cache.take(branch.count - 1) else { return }
          keep(slots, readFrom: 0)
          cache.name(slots, prompt: tree.prompt, completion: branch.dropLast())
        }
        row += branch.count - 1
      }
    }
    pass.recording = ActivationRecording(moves, to: cache)
    let hidden = decoder.hidden(pass)
    guard cache.logits != nil else { return }
    let read = workspace.matrix(rows.count, hidden.columns)
    gatherRows(hidden, workspace.indices(rows), into: read)
    cache.store(logits: decoder.head.logits(read, pass), ends)
  }
}
