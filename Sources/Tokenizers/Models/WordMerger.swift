/// Merges the symbols of one word: pairs in the order of their ranks, the leftmost first among equals.
///
/// A short word is searched for its first pair again and again. In a long one a heap of candidates over a linked list
/// finds it, so that n symbols take O(n log n) whatever they are.
struct WordMerger {
  /// The ids of the word's characters; merging leaves it in disorder.
  var symbols: [Int32] = []
  private var ranks: [Int32] = []
  private var links: [Link] = []
  /// A binary min-heap of rank << 32 | position of the left symbol.
  private var heap: [UInt64] = []

  private struct Link {
    /// -1 where the symbol is part of another by now.
    var id: Int32
    /// Neighbours by position, -1 at either end.
    var previous: Int32
    var next: Int32
  }

  /// The most symbols that are searched; from 32 to 256 the two take about the same time, measured.
  private static let searched = 64

  /// Appends the word's symbols to `ids`, merged as far as `merges` goes.
  mutating func merge(_ merges: MergeTable.Reader, to ids: inout [Int32]) {
    if symbols.count > Self.searched {
      mergeByHeap(merges, to: &ids)
    } else if symbols.count > 1 {
      mergeBySearch(merges, to: &ids)
    } else {
      ids += symbols
    }
  }

  private mutating func mergeBySearch(_ merges: MergeTable.Reader, to ids: inout [Int32]) {
    var count = symbols.count
    if ranks.isEmpty { ranks = [Int32](repeating: MergeTable.none, count: Self.searched) }
    symbols.withUnsafeMutableBufferPointer { symbols in
      // The rank of each symbol with the next.
      ranks.withUnsafeMutableBufferPointer { ranks in
        for index in 0..<count - 1 { ranks[index] = merges.rank(symbols[index], symbols[index + 1]) }
        while count > 1 {
          var first = 0
          for index in 1..<count - 1 where ranks[index] < ranks[first] { first = index }
          guard ranks[first] != MergeTable.none else { break }
          symbols[first] = merges.result(ranks[first])
          count -= 1
          for index in first + 1..<max(count, first + 1) {
            symbols[index] = symbols[index + 1]
            ranks[index - 1] = ranks[index]
          }
          if first > 0 { ranks[first - 1] = merges.rank(symbols[first - 1], symbols[first]) }
          if first + 1 < count { ranks[first] = merges.rank(symbols[first], symbols[first + 1]) }
        }
      }
    }
    ids += symbols[..<count]
  }

  private mutating func mergeByHeap(_ merges: MergeTable.Reader, to ids: inout [Int32]) {
    links.removeAll(keepingCapacity: true)
    heap.removeAll(keepingCapacity: true)
    for (index, id) in symbols.enumerated() {
      let position = Int32(truncatingIfNeeded: index)
      links.append(Link(id: id, previous: position - 1, next: index + 1 < symbols.count ? position + 1 : -1))
    }
    for index in links.indices.dropLast() { consider(Int32(truncatingIfNeeded: index), merges) }

    while let entry = pop() {
      let left = Int(entry & 0xFFFF_FFFF)
      let next = links[left].next
      guard links[left].id >= 0, next >= 0 else { continue }
      let right = links[Int(next)]
      // The neighbours may have changed since; what counts is that they still make the same token.
      let result = merges.result(Int32(truncatingIfNeeded: entry >> 32))
      let rank = merges.rank(links[left].id, right.id)
      guard rank != MergeTable.none, merges.result(rank) == result else { continue }
      links[left].id = result
      links[left].next = right.next
      links[Int(next)].id = -1
      if right.next >= 0 { links[Int(right.next)].previous = Int32(truncatingIfNeeded: left) }
      if links[left].previous >= 0 { consider(links[left].previous, merges) }
      if right.next >= 0 { consider(Int32(truncatingIfNeeded: left), merges) }
    }
    for link in links where link.id >= 0 { ids.append(link.id) }
  }

  /// Puts the pair of `position` and its right neighbour on the heap, where it merges.
  private mutating func consider(_ position: Int32, _ merges: MergeTable.Reader) {
    let left = links[Int(position)]
    let rank = merges.rank(left.id, links[Int(left.next)].id)
    guard rank != MergeTable.none else { return }
    heap.append(UInt64(UInt32(bitPattern: rank)) << 32 | UInt64(UInt32(bitPattern: position)))
    heap.withUnsafeMutableBufferPointer { heap in
      var child = heap.count - 1
      let entry = heap[child]
      while child > 0 {
        let parent = (child - 1) / 2
        guard entry < heap[parent] else { break }
        heap[child] = heap[parent]
        child = parent
      }
      heap[child] = entry
    }
  }

  private mutating func pop() -> UInt64? {
    guard let first = heap.first else { return nil }
    let entry = heap.removeLast()
    guard !heap.isEmpty else { return first }
    heap.withUnsafeMutableBufferPointer { heap in
      var parent = 0
      while true {
        var child = 2 * parent + 1
        guard child < heap.count else { break }
        if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
        guard heap[child] < entry else { break }
        heap[parent] = heap[child]
        parent = child
      }
      heap[parent] = entry
    }
    return first
  }
}
