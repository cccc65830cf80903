/// The merges of a BPE model: for a pair of neighbouring ids, how early it merges and what it becomes.
struct MergeTable: Sendable {
  /// The id that the merge of a rank makes.
  private(set) var results: [Int32] = []
  /// Open addressing over pairs; a power of two of slots, at most half of them in use. A free slot has rank -1.
  private var keys: [UInt64]
  private var ranks: [Int32]

  init(capacity: Int) {
    var size = 16
    while size < 2 * capacity { size *= 2 }
    keys = [UInt64](repeating: 0, count: size)
    ranks = [Int32](repeating: -1, count: size)
    results.reserveCapacity(capacity)
  }

  /// The rank of the pair, 0 merging first, or nil.
  @inline(__always)
  func rank(_ left: Int32, _ right: Int32) -> Int32? {
    let slot = self.slot(Self.key(left, right))
    return ranks[slot] >= 0 ? ranks[slot] : nil
  }

  /// Adds the next rank, within the capacity. A pair given twice has the later rank.
  mutating func append(_ left: Int32, _ right: Int32, result: Int32) {
    let key = Self.key(left, right)
    let slot = self.slot(key)
    keys[slot] = key
    ranks[slot] = Int32(results.count)
    results.append(result)
  }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  /// The slot that holds `key`, or the free one where it would go.
  private func slot(_ key: UInt64) -> Int {
    var hash = key &* 0x9E37_79B9_7F4A_7C15
    hash ^= hash >> 32
    var slot = Int(truncatingIfNeeded: hash) & (keys.count - 1)
    while ranks[slot] >= 0, keys[slot] != key { slot = (slot + 1) & (keys.count - 1) }
    return slot
  }
}
