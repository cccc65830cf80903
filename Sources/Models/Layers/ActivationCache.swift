import Kernels

/// The activations of tokens that sampling has seen. What a layer computes of a token depends on nothing that is computed
/// beside it: a training pass over the same tokens takes them from here, bit for bit, and need not compute them again.
/// They lie at the bottom of the network's workspace, which is held for them.
package final class ActivationCache {
  /// What each layer keeps (``DecoderLayer/rows(_:_:)``), with a row for each slot: [capacity, …].
  fileprivate let layers: [[Matrix]]
  /// What the last layer says: [capacity, C].
  fileprivate let last: Matrix
  /// Slots without a token.
  private var free: [Int32]
  private var slots: [Sequence: [Int32]] = [:]
  /// Of the weights.
  fileprivate let version: Int

  /// A prompt's tokens, or those of a completion after it.
  private struct Sequence: Hashable {
    let prompt: [Int32]
    let completion: [Int32]?
  }

  /// - Parameter capacity: tokens that there is room for.
  fileprivate init(_ network: Network, capacity: Int) {
    let (workspace, decoder) = (network.workspace, network.decoder)
    // A pass over no tokens says how wide their rows are.
    let pass = Pass(TokenBatch(), parameters: network.parameters, workspace: workspace)
    let none = workspace.matrix(0, decoder.channels)
    let widths = decoder.layers.map { layer in
      layer.rows(layer.keep(none, normed: none, pass), pass).map(\.columns)
    }
    workspace.reset()
    layers = widths.map { $0.map { workspace.matrix(capacity, $0) } }
    last = workspace.matrix(capacity, decoder.channels)
    free = Array(0..<Int32(capacity))
    version = network.parameters.version
  }

  /// Takes slots for some tokens; nil where not so many are left.
  package func take(_ count: Int) -> [Int32]? {
    guard count <= free.count else { return nil }
    defer { free.removeLast(count) }
    return Array(free.suffix(count))
  }

  package func giveBack(_ slots: [Int32]) { free += slots }

  /// Says which tokens the rows in some slots are of: a prompt's, or those that were read of a completion of it.
  package func name(_ slots: [Int32], prompt: [Int32], completion: [Int32]? = nil) {
    self.slots[Sequence(prompt: prompt, completion: completion)] = slots
  }

  /// Where the rows of a training pass over `trees` are; nil where none is here.
  fileprivate func recall(_ trees: [SequenceTree]) -> Recollection? {
    var found = Recollection()
    for tree in trees {
      let branches = tree.branches.filter { $0.count > 1 }
      found.add(
        tree, prompt: slots[Sequence(prompt: tree.prompt, completion: nil)],
        branches: branches.map {
          ($0, slots[Sequence(prompt: tree.prompt, completion: $0.dropLast())])
        })
    }
    return found.known.runs.isEmpty ? nil : found
  }
}

/// Where the rows of a training pass over some trees are to be found.
struct Recollection {
  /// From slots of the cache.
  fileprivate private(set) var known = RowMoves()
  /// What the cache lacks, each branch with its prompt.
  fileprivate private(set) var missing: [SequenceTree] = []
  /// From the rows of a pass over `missing`.
  fileprivate private(set) var fresh = RowMoves()
  private var rows = 0
  private var missingRows = 0

  /// - Parameter branches: those of the tree that have rows, with their slots.
  fileprivate mutating func add(
    _ tree: SequenceTree, prompt: [Int32]?, branches: [(ids: [Int32], slots: [Int32]?)]
  ) {
    let lost = branches.filter { $0.slots == nil }.map(\.ids)
    let isMissing = prompt == nil || !lost.isEmpty
    if isMissing { missing.append(SequenceTree(prompt: tree.prompt, branches: lost)) }
    add(tree.prompt.count, prompt)
    if isMissing, prompt != nil { missingRows += tree.prompt.count }
    for branch in branches { add(branch.ids.count - 1, branch.slots) }
  }

  private mutating func add(_ count: Int, _ slots: [Int32]?) {
    if let slots {
      for (offset, slot) in slots.enumerated() { known.append(Int(slot), to: rows + offset) }
    } else {
      for offset in 0..<count { fresh.append(missingRows + offset, to: rows + offset) }
      missingRows += count
    }
    rows += count
  }
}

/// Rows of one matrix that go to rows of another.
package struct RowMoves {
  /// As ``placeRows(_:of:)`` takes them.
  fileprivate private(set) var runs: [Segment] = []

  package init() {}

  package mutating func append(_ row: Int, to other: Int) {
    runs.append(Segment(row: Int32(row), rows: 1, kv: Int32(other), span: 0, spans: 0))
  }

  fileprivate func move(_ x: Matrix, to y: Matrix) { placeRows([(x, y)], of: runs) }
}

/// Rows of a pass that go to the cache as they are computed.
package struct ActivationRecording {
  private let cache: ActivationCache
  private let moves: RowMoves

  /// - Parameter moves: from the rows of the pass to slots.
  package init(_ moves: RowMoves, to cache: ActivationCache) {
    (self.moves, self.cache) = (moves, cache)
  }

  func store(_ rows: [Matrix], layer: Int) {
    placeRows(Array(zip(rows, cache.layers[layer])), of: moves.runs)
  }

  /// What the last layer says.
  func store(last x: Matrix) { moves.move(x, to: cache.last) }
}

/// The rows of a training pass that other passes have computed: sampling, whose rows lie in the cache, and one over what
/// was not there.
struct RecalledPass {
  fileprivate let cache: ActivationCache
  fileprivate let known: RowMoves
  fileprivate let fresh: (kept: Decoder.Kept, moves: RowMoves)?
  /// Of the pass.
  fileprivate let tokens: Int

  /// What the last layer says: [T, C].
  func last(_ pass: Pass) -> Matrix {
    var rows = KeptRows(tokens: tokens, workspace: pass.workspace, sources: [([cache.last], known)])
    if let fresh { rows.sources.append(([fresh.kept.norm.x], fresh.moves)) }
    return rows.next()
  }

  /// What one of the decoder's layers kept.
  func rows(of layer: DecoderLayer, _ index: Int, _ pass: Pass) -> KeptRows {
    var rows = KeptRows(tokens: tokens, workspace: pass.workspace, sources: [(cache.layers[index], known)])
    if let fresh, case .activations(let kept) = fresh.kept.layers[index] {
      rows.sources.append((layer.rows(kept, pass), fresh.moves))
    }
    return rows
  }
}

/// What a layer kept of the rows of a pass, matrix after matrix, brought together from where other passes left it.
package struct KeptRows {
  fileprivate let tokens: Int
  fileprivate let workspace: Workspace
  fileprivate var sources: [(rows: [Matrix], moves: RowMoves)]
  private var index = 0

  fileprivate init(tokens: Int, workspace: Workspace, sources: [(rows: [Matrix], moves: RowMoves)]) {
    (self.tokens, self.workspace, self.sources) = (tokens, workspace, sources)
  }

  /// The next matrix: [T, …].
  mutating func next() -> Matrix {
    defer { index += 1 }
    let y = workspace.matrix(tokens, sources[0].rows[index].columns)
    for source in sources { source.moves.move(source.rows[index], to: y) }
    return y
  }

  /// The next matrix, which has each token's K choices in a row, as rows sorted by expert: [T · K, …].
  mutating func next(sortedBy routing: Routing) -> Matrix {
    defer { index += 1 }
    let perToken = routing.weights.columns
    let y = workspace.matrix(tokens * perToken, sources[0].rows[index].columns / perToken)
    for source in sources {
      var choices = RowMoves()
      for run in source.moves.runs {
        for offset in 0..<perToken {
          choices.append(Int(run.row) * perToken + offset, to: routing.slot[Int(run.kv) * perToken + offset])
        }
      }
      choices.move(source.rows[index].reshaped(columns: y.columns), to: y)
    }
    return y
  }
}

extension Network {
  /// Makes room for the activations of so many tokens, in place of what was kept before, until the next pass that trains.
  package func keepActivations(of tokens: Int) -> ActivationCache {
    dropActivations()
    let cache = ActivationCache(self, capacity: tokens)
    workspace.hold()
    activations = cache
    return cache
  }

  package func dropActivations() {
    activations = nil
    workspace.releaseHeld()
  }

  /// Where the rows of a training pass over `trees` are that sampling has left; nil, and nothing is kept any longer, where
  /// there are none, or the weights have changed.
  func recall(_ trees: [SequenceTree], _ reading: Reading) -> Recollection? {
    if reading != .ends, let activations, activations.version == parameters.version,
      let recollection = activations.recall(trees)
    {
      return recollection
    }
    dropActivations()
    return nil
  }

  /// What that pass needs: its rows, those that are missing computed now.
  func recalled(_ recollection: Recollection, _ reading: Reading, tokens: Int) -> RecalledPass? {
    guard let activations else { return nil }
    var fresh: (Decoder.Kept, RowMoves)?
    if !recollection.missing.isEmpty {
      fresh = (decoder.forward(prepare(recollection.missing, reading).0).kept, recollection.fresh)
    }
    return RecalledPass(cache: activations, known: recollection.known, fresh: fresh, tokens: tokens)
  }
}
