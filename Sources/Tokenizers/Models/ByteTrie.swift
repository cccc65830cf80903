/// Byte strings as a tree, to find all that start at a place of a text.
struct ByteTrie: Sendable {
  /// The children of the nodes, those of one node together and sorted by byte: (byte, node).
  private var bytes: [UInt8] = []
  private var nodes: [Int32] = []
  /// Where a node's children start in the two, and one more at the end.
  private var starts: [Int32] = []
  /// The string that ends at a node, or -1.
  private var entries: [Int32] = []

  /// Of equal strings the last one is found; an empty one never is.
  init(_ strings: [[UInt8]]) {
    let order = strings.indices.sorted {
      strings[$0].lexicographicallyPrecedes(strings[$1]) || strings[$0] == strings[$1] && $0 < $1
    }
    // Nodes breadth first: each is the range of `order` whose strings share the node's prefix.
    var level: [(range: Range<Int>, depth: Int)] = [(0..<order.count, 0)]
    entries = [-1]
    var next = 0
    while next < level.count {
      let (range, depth) = level[next]
      starts.append(Int32(truncatingIfNeeded: bytes.count))
      var index = range.lowerBound
      while index < range.upperBound, strings[order[index]].count == depth {
        if depth > 0 { entries[next] = Int32(truncatingIfNeeded: order[index]) }
        index += 1
      }
      while index < range.upperBound {
        let byte = strings[order[index]][depth]
        let first = index
        while index < range.upperBound, strings[order[index]][depth] == byte { index += 1 }
        bytes.append(byte)
        nodes.append(Int32(truncatingIfNeeded: level.count))
        level.append((first..<index, depth + 1))
        entries.append(-1)
      }
      next += 1
    }
    starts.append(Int32(truncatingIfNeeded: bytes.count))
  }

  /// Calls `body` with the number and the end of each string that starts at `start`, the shortest first.
  @inline(__always)
  func prefixes(of text: UnsafeBufferPointer<UInt8>, from start: Int, _ body: (Int32, Int) -> Void) {
    var node = 0
    var position = start
    while position < text.count, let child = child(of: node, text[position]) {
      node = child
      position += 1
      if entries[node] >= 0 { body(entries[node], position) }
    }
  }

  private func child(of node: Int, _ byte: UInt8) -> Int? {
    var low = Int(starts[node])
    var high = Int(starts[node + 1])
    while low < high {
      let middle = (low + high) / 2
      if bytes[middle] < byte { low = middle + 1 } else { high = middle }
    }
    return low < Int(starts[node + 1]) && bytes[low] == byte ? Int(nodes[low]) : nil
  }
}
