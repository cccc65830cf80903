import Kernels

/// The activations of tokens that sampling has seen, and of others that an update has computed beside them. What a layer
/// computes of a token depends on nothing that is computed beside it: a training pass over the same tokens takes them from
/// here, bit for bit, and need not compute them again. They lie in the memory that gradients take on the way back, and at the
/// bottom of the network's workspace, which is held for them.
package final class ActivationCache {
  /// What each layer keeps (``DecoderLayer/rows(_:_:)``), with a row for each slot: [capacity, …].
  let layers: [[Matrix]]
  /// What the last layer says: [capacity, C].
  let last: Matrix
  /// The vocabulary's logits after each token: [capacity, V], where that is little too.
  let logits: Matrix?
  /// Of the weights.
  let version: Int
  /// Whether it is so small that it serves every pass, until the weights change. Else it serves the first, whose gradients
  /// take its place, and makes room for the next.
  let stays: Bool
  /// Slots without a token.
  private var free: [Int32]
  private var slots: [Sequence: [Int32]] = [:]
  /// In the order in which they were named.
  private var sequences: [Sequence] = []

  /// A prompt's tokens, or those of a completion after it.
  private struct Sequence: Hashable {
    let prompt: [Int32]
    let completion: [Int32]?
  }

  /// Bytes that it takes at most, where completions turn out as long as they may.
  private static let maximumBytes = ParameterStore.machineBytes / 4
  /// Bytes of one that stays.
  private static let smallBytes = 128 << 20
  /// Bytes of the logits beside it.
  private static let logitBytes = 64 << 20

  /// - Parameter passes: tokens of each pass that there is to be room for: of the largest, and of all where they are few.
  init(_ network: Network, passes: [Int]) {
    let (workspace, decoder) = (network.workspace, network.decoder)
    // A pass over no tokens says how wide their rows are.
    let pass = Pass(TokenBatch(), parameters: network.parameters, workspace: workspace)
    let none = workspace.matrix(0, decoder.channels)
    let widths = decoder.layers.map { layer in
      layer.rows(layer.keep(none, normed: none, pass), pass).map(\.columns)
    }
    workspace.reset()
    let rowBytes = widths.joined().reduce(decoder.channels, +) * MemoryLayout<Float>.stride
    let few = min(passes.reduce(0, +), Self.smallBytes / rowBytes)
    let capacity = min(max(passes.max() ?? 0, few), Self.maximumBytes / rowBytes)
    let stays = passes.count > 1 && capacity * rowBytes <= Self.smallBytes
    func room(_ columns: Int, layer: Int) -> Matrix {
      (stays ? nil : network.parameters.lend(capacity, columns, toLayer: layer)) ?? workspace.matrix(capacity, columns)
    }
    self.stays = stays
    last = room(decoder.channels, layer: widths.count)
    let vocabulary = decoder.head.weight.shape[0]
    let isLittle = capacity * vocabulary * MemoryLayout<Float>.stride <= Self.logitBytes
    logits = isLittle ? room(vocabulary, layer: widths.count) : nil
    layers = widths.enumerated().reversed().map { layer, widths in widths.map { room($0, layer: layer) } }.reversed()
    version = network.parameters.version
    free = Array(0..<Int32(capacity))
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
    let sequence = Sequence(prompt: prompt, completion: completion)
    if let old = self.slots.updateValue(slots, forKey: sequence) {
      giveBack(old)
    } else {
      sequences.append(sequence)
    }
  }

  /// Makes room for so many tokens, as far as there are others than those of some trees: what was named last goes first.
  func makeRoom(_ count: Int, beside trees: [SequenceTree]) {
    guard count > free.count else { return }
    var kept: Set<Sequence> = []
    for tree in trees {
      kept.insert(Sequence(prompt: tree.prompt, completion: nil))
      for branch in tree.branches { kept.insert(Sequence(prompt: tree.prompt, completion: branch.dropLast())) }
    }
    for sequence in sequences.reversed() where count > free.count && !kept.contains(sequence) {
      slots.removeValue(forKey: sequence).map(giveBack)
    }
    sequences.removeAll { slots[$0] == nil }
  }

  /// Keeps logits that a pass has computed.
  /// - Parameter moves: from their rows to the slots of the tokens that they follow.
  package func store(logits: Matrix, _ moves: @autoclosure () -> RowMoves) {
    if let kept = self.logits { moves().move([(TokenRows(logits), kept)]) }
  }

  func slots(ofPrompt prompt: [Int32]) -> [Int32]? { slots[Sequence(prompt: prompt, completion: nil)] }

  /// - Parameter branch: a completion whose last token was not read.
  func slots(of branch: [Int32], after prompt: [Int32]) -> [Int32]? {
    slots[Sequence(prompt: prompt, completion: branch.dropLast())]
  }

  /// Of some trees those that are not all here: each with the branches that are not.
  func missing(of trees: [SequenceTree]) -> [SequenceTree] {
    trees.compactMap { tree in
      let lost = tree.branches.filter { $0.count > 1 && slots(of: $0, after: tree.prompt) == nil }
      guard !lost.isEmpty || slots(ofPrompt: tree.prompt) == nil else { return nil }
      return SequenceTree(prompt: tree.prompt, branches: lost)
    }
  }
}

/// Rows of a pass that go to the cache as they are computed.
package struct ActivationRecording {
  private let cache: ActivationCache
  private let moves: RowMoves

  /// - Parameter moves: from the rows of the pass to slots.
  package init(_ moves: RowMoves, to cache: ActivationCache) {
    (self.moves, self.cache) = (moves, cache)
  }

  /// What a layer keeps of the pass.
  func store(_ rows: [TokenRows], layer: Int) { moves.move(Array(zip(rows, cache.layers[layer]))) }

  /// What the last layer says.
  func store(last x: Matrix) { moves.move([(TokenRows(x), cache.last)]) }
}
