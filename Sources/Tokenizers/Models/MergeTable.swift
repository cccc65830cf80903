import Values

/// The merges of a BPE model: for a pair of neighbouring ids, how early it merges and what it becomes.
struct MergeTable: Sendable {
  /// The rank of a pair that does not merge.
  static let none = Int32.max

  fileprivate struct Slot {
    var pair: UInt64
    /// 0 merges first; `none` in a free slot.
    var rank: Int32
  }

  /// Open addressing; a power of two of slots, at most half of them in use.
  private var slots: [Slot]
  /// The id that the merge of a rank makes.
  private(set) var results: [Int32] = []

  init(capacity: Int) {
    var size = 16
    while size < 2 * capacity { size *= 2 }
    slots = [Slot](repeating: Slot(pair: 0, rank: Self.none), count: size)
    results.reserveCapacity(capacity)
  }

  /// Adds the next rank, within the capacity. A pair given twice has the later rank.
  mutating func append(_ left: Int32, _ right: Int32, result: Int32) {
    let pair = Self.pair(left, right)
    let slot = slots.withUnsafeBufferPointer { Self.slot(of: pair, in: $0) }
    slots[slot] = Slot(pair: pair, rank: Int32(results.count))
    results.append(result)
  }

  /// Calls `body` with the table, for many looks into it.
  func read<Result>(_ body: (Reader) throws(GRAOError) -> Result) throws(GRAOError) -> Result {
    try slots.withUnsafeBufferPointer { slots throws(GRAOError) in
      try results.withUnsafeBufferPointer { results throws(GRAOError) in
        try body(Reader(slots: slots, results: results))
      }
    }
  }

  struct Reader {
    fileprivate let slots: UnsafeBufferPointer<Slot>
    fileprivate let results: UnsafeBufferPointer<Int32>

    @inline(__always)
    func rank(_ left: Int32, _ right: Int32) -> Int32 {
      slots[MergeTable.slot(of: MergeTable.pair(left, right), in: slots)].rank
    }

    @inline(__always)
    func result(_ rank: Int32) -> Int32 { results[Int(rank)] }
  }

  private static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  /// The slot that holds `pair`, or the free one where it would go.
  @inline(__always)
  private static func slot(of pair: UInt64, in slots: UnsafeBufferPointer<Slot>) -> Int {
    var hash = pair &* 0x9E37_79B9_7F4A_7C15
    hash ^= hash >> 32
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot].rank != none, slots[slot].pair != pair { slot = (slot + 1) & (slots.count - 1) }
    return slot
  }
}
