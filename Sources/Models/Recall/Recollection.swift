import Kernels

/// Where the rows of a training pass over some trees are to be found.
struct Recollection {
  let cache: ActivationCache
  /// From slots of the cache.
  private(set) var known = RowMoves()
  /// What the cache lacks, each branch with its prompt.
  private(set) var missing: [SequenceTree] = []
  /// From the rows of a pass over `missing`.
  private(set) var fresh = RowMoves()
  private var rows = 0
  private var missingRows = 0

  init(_ trees: [SequenceTree], in cache: ActivationCache) {
    self.cache = cache
    for tree in trees { add(tree) }
  }

  /// The logits after some rows, as far as the cache has them; nil where it has none.
  func logits(after targets: [Int32]) -> VocabularyHead.KeptLogits? {
    guard let logits = cache.logits else { return nil }
    var slots = [Int32?](repeating: nil, count: rows)
    for move in known.rows { slots[Int(move.kv)] = move.row }
    return VocabularyHead.KeptLogits(logits: logits, slots: targets.map { slots[Int($0)] })
  }

  private mutating func add(_ tree: SequenceTree) {
    let prompt = cache.slots(ofPrompt: tree.prompt)
    // The only token of a branch has no row.
    let branches = tree.branches.filter { $0.count > 1 }.map {
      (ids: $0, slots: cache.slots(of: $0, after: tree.prompt))
    }
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
