/// Merges the symbols of one word: pairs in the order of their ranks, the leftmost first among equals. A heap of
/// candidates over a linked list, so that a word of n symbols takes O(n log n) whatever it holds.
struct WordMerger: Sendable {
  private struct Symbol {
    var id: Int32
    /// Neighbours by position, -1 at either end.
    var previous: Int32
    var next: Int32
  }

  private var symbols: [Symbol] = []
  /// A binary min-heap of rank << 32 | position of the left symbol.
  private var heap: [UInt64] = []

  /// `word`'s ids, merged as far as `merges` goes, appended to `ids`.
  mutating func merge(_ word: [Int32], _ merges: MergeTable, to ids: inout [Int32]) {
    symbols.removeAll(keepingCapacity: true)
    heap.removeAll(keepingCapacity: true)
    for (index, id) in word.enumerated() {
      let position = Int32(truncatingIfNeeded: index)
      symbols.append(Symbol(id: id, previous: position - 1, next: index + 1 < word.count ? position + 1 : -1))
    }
    for index in symbols.indices.dropLast() { consider(Int32(truncatingIfNeeded: index), merges) }

    while let entry = pop() {
      let left = Int(entry & 0xFFFF_FFFF)
      let next = symbols[left].next
      guard symbols[left].id >= 0, next >= 0 else { continue }
      let right = symbols[Int(next)]
      // The neighbours may have changed since; what counts is that they still make the same token.
      let result = merges.results[Int(entry >> 32)]
      guard let rank = merges.rank(symbols[left].id, right.id), merges.results[Int(rank)] == result else { continue }
      symbols[left].id = result
      symbols[left].next = right.next
      symbols[Int(next)].id = -1
      if right.next >= 0 { symbols[Int(right.next)].previous = Int32(truncatingIfNeeded: left) }
      if symbols[left].previous >= 0 { consider(symbols[left].previous, merges) }
      if right.next >= 0 { consider(Int32(truncatingIfNeeded: left), merges) }
    }
    for symbol in symbols where symbol.id >= 0 { ids.append(symbol.id) }
  }

  /// Puts the pair of `position` and its right neighbour on the heap, where it merges.
  private mutating func consider(_ position: Int32, _ merges: MergeTable) {
    let left = symbols[Int(position)]
    guard let rank = merges.rank(left.id, symbols[Int(left.next)].id) else { return }
    heap.append(UInt64(UInt32(bitPattern: rank)) << 32 | UInt64(UInt32(bitPattern: position)))
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child] < heap[parent] else { break }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  private mutating func pop() -> UInt64? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    guard !heap.isEmpty else { return first }
    heap[0] = last
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < heap[parent] else { break }
      heap.swapAt(child, parent)
      parent = child
    }
    return first
  }
}
