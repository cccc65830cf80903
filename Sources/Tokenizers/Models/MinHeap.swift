/// A binary heap of numbers, the least first.
struct MinHeap {
  private var entries: [UInt64] = []

  var first: UInt64? { entries.first }

  mutating func insert(_ entry: UInt64) {
    entries.append(entry)
    entries.withUnsafeMutableBufferPointer { entries in
      var child = entries.count - 1
      while child > 0 {
        let parent = (child - 1) / 2
        guard entry < entries[parent] else { break }
        entries[child] = entries[parent]
        child = parent
      }
      entries[child] = entry
    }
  }

  @discardableResult
  mutating func popFirst() -> UInt64? {
    guard let last = entries.popLast() else { return nil }
    guard let first = entries.first else { return last }
    entries.withUnsafeMutableBufferPointer { entries in
      var parent = 0
      while true {
        var child = 2 * parent + 1
        guard child < entries.count else { break }
        if child + 1 < entries.count, entries[child + 1] < entries[child] { child += 1 }
        guard entries[child] < last else { break }
        entries[parent] = entries[child]
        parent = child
      }
      entries[parent] = last
    }
    return first
  }
}
