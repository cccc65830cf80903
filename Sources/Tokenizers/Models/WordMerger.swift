/// Merges the symbols of one word: pairs in the order of their ranks, the leftmost first among equals.
///
/// A short word is searched for its first pair again and again. In a longer one a heap of candidates over a linked list
/// finds it, and in one as long as a text a queue by ranks: n symbols take O(n log n) at the most, and about n where few
/// ranks occur.
struct WordMerger {
  /// The ids of the word's characters; merging leaves it in disorder.
  var symbols: [Int32] = []
  private var ranks: [Int32] = []
  private var links: [Link] = []
  /// Candidates as rank << 32 | position.
  private var heap = MinHeap()
  private var queue = RankQueue()
  private var isLong = false

  private struct Link {
    /// -1 where the symbol is part of another by now.
    var id: Int32
    /// Neighbours by position, -1 at either end.
    var previous: Int32
    var next: Int32
  }

  /// The most symbols that are searched; from 32 to 256 it takes as long as a queue, measured.
  private static let searched = 64

  /// The most symbols whose candidates are in the heap: beyond, it outgrows the nearest cache.
  private static let heaped = 4096

  /// Appends the word's symbols to `ids`, merged as far as `merges` goes.
  mutating func merge(_ merges: MergeTable.Reader, to ids: inout [Int32]) {
    if symbols.count > Self.searched {
      mergeByQueue(merges, to: &ids)
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
          for index in first + 1..<count {
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

  private mutating func mergeByQueue(_ merges: MergeTable.Reader, to ids: inout [Int32]) {
    links.removeAll(keepingCapacity: true)
    isLong = symbols.count > Self.heaped
    for (index, id) in symbols.enumerated() {
      let position = Int32(truncatingIfNeeded: index)
      links.append(Link(id: id, previous: position - 1, next: index + 1 < symbols.count ? position + 1 : -1))
    }
    for index in links.indices.dropLast() { consider(Int32(truncatingIfNeeded: index), merges) }

    while let (position, rank) = popFirst() {
      let left = Int(position)
      let next = links[left].next
      guard links[left].id >= 0, next >= 0 else { continue }
      let right = links[Int(next)]
      // The neighbours may have changed since.
      guard merges.rank(links[left].id, right.id) == rank else { continue }
      links[left].id = merges.result(rank)
      links[left].next = right.next
      links[Int(next)].id = -1
      if right.next >= 0 { links[Int(right.next)].previous = position }
      if links[left].previous >= 0 { consider(links[left].previous, merges) }
      if right.next >= 0 { consider(position, merges) }
    }
    for link in links where link.id >= 0 { ids.append(link.id) }
  }

  /// Queues the pair of `position` and its right neighbour, where it merges.
  private mutating func consider(_ position: Int32, _ merges: MergeTable.Reader) {
    let left = links[Int(position)]
    let rank = merges.rank(left.id, links[Int(left.next)].id)
    guard rank != MergeTable.none else { return }
    if isLong {
      queue.insert(position, rank: rank)
    } else {
      heap.insert(UInt64(UInt32(bitPattern: rank)) << 32 | UInt64(UInt32(bitPattern: position)))
    }
  }

  private mutating func popFirst() -> (position: Int32, rank: Int32)? {
    if isLong { return queue.popFirst() }
    return heap.popFirst().map { (Int32(truncatingIfNeeded: $0), Int32(truncatingIfNeeded: $0 >> 32)) }
  }
}
