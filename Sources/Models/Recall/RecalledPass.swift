import Kernels

/// The rows of a training pass that other passes have computed: sampling, whose rows lie in the cache, and one over what
/// was not there.
struct RecalledPass {
  let recollection: Recollection
  /// What the pass over what was missing kept.
  let fresh: Decoder.Kept?

  /// What the last layer says: [T, C].
  func last(_ pass: Pass) -> Matrix {
    var rows = KeptRows(pass, [(recollection.cache.last, fresh?.norm.x)], recollection)
    return rows.next()
  }

  /// What one of the decoder's layers kept.
  func rows(of layer: DecoderLayer, _ index: Int, _ pass: Pass) -> KeptRows {
    var computed: [Matrix]?
    if case .activations(let kept) = fresh?.layers[index] { computed = layer.rows(kept, pass) }
    let cached = recollection.cache.layers[index]
    return KeptRows(pass, cached.enumerated().map { ($1, computed?[$0]) }, recollection)
  }
}

/// What a layer kept of the rows of a pass, matrix after matrix, brought together from where other passes left it.
package struct KeptRows {
  private let pass: Pass
  private let recollection: Recollection
  /// Of the cache, and of the pass over what was missing.
  private var sources: ArraySlice<(cached: Matrix, fresh: Matrix?)>

  init(_ pass: Pass, _ sources: [(cached: Matrix, fresh: Matrix?)], _ recollection: Recollection) {
    (self.pass, self.sources, self.recollection) = (pass, sources[...], recollection)
  }

  /// The next matrix: [T, …].
  mutating func next() -> Matrix {
    let source = sources.removeFirst()
    let y = pass.workspace.matrix(pass.batch.count, source.cached.columns)
    recollection.known.move([(source.cached, y)])
    if let fresh = source.fresh { recollection.fresh.move([(fresh, y)]) }
    return y
  }

  /// The next two matrices, which have each token's K choices in a row, as rows of one choice, and which are whose [T · K]:
  /// where they lie in the cache, or where some are not there, sorted by expert.
  mutating func nextTwo(_ routing: Routing) -> (Matrix, Matrix, Indices) {
    let perToken = routing.weights.columns
    if recollection.missing.isEmpty {
      let places = pass.workspace.indices(pass.batch.count * perToken)
      for move in recollection.known.rows {
        for choice in 0..<perToken {
          places.start[Int(move.kv) * perToken + choice] = move.row * Int32(perToken) + Int32(choice)
        }
      }
      func rows() -> Matrix {
        let cached = sources.removeFirst().cached
        return cached.reshaped(columns: cached.columns / perToken)
      }
      return (rows(), rows(), places)
    }
    let known = recollection.known.split(by: perToken, order: routing.slot)
    let missing = recollection.fresh.split(by: perToken, order: routing.slot)
    func sorted() -> Matrix {
      let (cached, fresh) = sources.removeFirst()
      let y = pass.workspace.matrix(pass.batch.count * perToken, cached.columns / perToken)
      known.move([(cached.reshaped(columns: y.columns), y)])
      if let fresh { missing.move([(fresh.reshaped(columns: y.columns), y)]) }
      return y
    }
    return (sorted(), sorted(), routing.slot)
  }
}
