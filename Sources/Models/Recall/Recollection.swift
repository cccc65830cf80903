import Kernels

/// Where the rows of a training pass over some trees lie in the cache: all of them.
struct Recollection {
  private let cache: ActivationCache
  /// Of each row of the pass.
  private var slots: [Int32] = []

  /// Nil where the cache lacks one.
  init?(_ trees: [SequenceTree], in cache: ActivationCache) {
    self.cache = cache
    for tree in trees {
      guard let prompt = cache.slots(ofPrompt: tree.prompt) else { return nil }
      slots += prompt
      // The only token of a branch has no row.
      for branch in tree.branches where branch.count > 1 {
        guard let own = cache.slots(of: branch, after: tree.prompt) else { return nil }
        slots += own
      }
    }
  }

  /// What the last layer says: [T, C].
  func last(_ pass: Pass) -> Matrix {
    var rows = KeptRows(pass, [cache.last], slots)
    return rows.next()
  }

  /// What one of the decoder's layers kept.
  func rows(ofLayer layer: Int, _ pass: Pass) -> KeptRows { KeptRows(pass, cache.layers[layer], slots) }

  /// The logits after some rows; nil where the cache has none.
  func logits(after rows: [Int32], _ workspace: Workspace) -> Rows? {
    cache.logits.map { Rows($0, workspace.indices(rows.map { slots[Int($0)] })) }
  }
}

/// What a layer kept of the rows of a pass, matrix after matrix, from the cache.
package struct KeptRows {
  private let pass: Pass
  private let slots: Indices
  private var matrices: ArraySlice<Matrix>

  init(_ pass: Pass, _ matrices: [Matrix], _ slots: [Int32]) {
    (self.pass, self.matrices) = (pass, matrices[...])
    self.slots = pass.workspace.indices(slots)
  }

  /// The next matrix: [T, …].
  mutating func next() -> Matrix {
    let cached = matrices.removeFirst()
    let rows = pass.workspace.matrix(slots.count, cached.columns)
    gatherRows(cached, slots, into: rows)
    return rows
  }

  /// The next two matrices, which have each token's K choices in a row, as they lie in the cache, a row for each choice; and
  /// which of these are the pass's [T · K].
  mutating func nextTwo(perToken: Int) -> (Matrix, Matrix, Indices) {
    let places = pass.workspace.indices(slots.count * perToken)
    for row in 0..<slots.count {
      for choice in 0..<perToken {
        places.start[row * perToken + choice] = slots.start[row] * Int32(perToken) + Int32(choice)
      }
    }
    func choices() -> Matrix {
      let cached = matrices.removeFirst()
      return cached.reshaped(columns: cached.columns / perToken)
    }
    return (choices(), choices(), places)
  }
}
