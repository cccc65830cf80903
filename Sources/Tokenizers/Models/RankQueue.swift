/// Places to merge at, in the order of their ranks, from left to right within one: a heap of the ranks that occur and the
/// places of each. A long word has few ranks for its many places, which mostly come from left to right by themselves.
struct RankQueue {
  private struct Bucket {
    var positions: [Int32] = []
    /// Those before are taken out.
    var next = 0
    var isSorted = true
    /// Whether the bucket's rank is in the heap.
    var isQueued = false
  }

  private var buckets: [Bucket] = []
  private var bucketOfRank: [Int32: Int] = [:]
  /// Of rank << 32 | bucket.
  private var heap = MinHeap()
  private var lastRank: Int32 = -1
  private var lastBucket = 0

  mutating func insert(_ position: Int32, rank: Int32) {
    if rank != lastRank {
      lastRank = rank
      lastBucket = bucketOfRank[rank] ?? buckets.count
      if lastBucket == buckets.count {
        bucketOfRank[rank] = lastBucket
        buckets.append(Bucket())
      }
    }
    let bucket = lastBucket
    if !buckets[bucket].isQueued {
      buckets[bucket].isQueued = true
      heap.insert(UInt64(UInt32(bitPattern: rank)) << 32 | UInt64(UInt32(truncatingIfNeeded: bucket)))
    }
    if let last = buckets[bucket].positions.last, last > position { buckets[bucket].isSorted = false }
    buckets[bucket].positions.append(position)
  }

  /// Takes out the leftmost place of the least rank.
  mutating func popFirst() -> (position: Int32, rank: Int32)? {
    while let entry = heap.first {
      let bucket = Int(entry & 0xFFFF_FFFF)
      let next = buckets[bucket].next
      if next < buckets[bucket].positions.count {
        if !buckets[bucket].isSorted {
          buckets[bucket].positions[next...].sort()
          buckets[bucket].isSorted = true
        }
        buckets[bucket].next = next + 1
        return (buckets[bucket].positions[next], Int32(truncatingIfNeeded: entry >> 32))
      }
      buckets[bucket].positions.removeAll(keepingCapacity: true)
      buckets[bucket].next = 0
      buckets[bucket].isQueued = false
      heap.popFirst()
    }
    return nil
  }
}
