/// Byte strings numbered from 0 in the order they were first inserted, found again by content. Swift's own String keys
/// would not do: they hold "é" and "e\u{301}" for equal.
struct ByteStringTable: Sendable {
  private var arena: [UInt8] = []
  private var starts: [Int] = [0]
  /// A power of two of slots, at most half of them in use: the upper half of the hash, then the string's number + 1.
  private var slots: [UInt64]

  init(capacity: Int = 0) {
    var size = 64
    while size < 2 * capacity { size *= 2 }
    slots = [UInt64](repeating: 0, count: size)
    starts.reserveCapacity(capacity + 1)
  }

  var count: Int { starts.count - 1 }

  subscript(index: Int) -> ArraySlice<UInt8> { arena[starts[index]..<starts[index + 1]] }

  func index(of key: UnsafeBufferPointer<UInt8>) -> Int? { find(key, Self.hash(key)).index }

  /// The number of `key`, new or old. The table holds up to 2³¹ strings.
  @discardableResult
  mutating func insert(_ key: UnsafeBufferPointer<UInt8>) -> Int {
    let hash = Self.hash(key)
    let (index, slot) = find(key, hash)
    if let index { return index }
    arena.append(contentsOf: key)
    starts.append(arena.count)
    slots[slot] = Self.entry(hash, count - 1)
    if 2 * count > slots.count { grow() }
    return count - 1
  }

  /// Where `key` is, and the slot that holds it or would.
  @inline(__always)
  private func find(_ key: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> (index: Int?, slot: Int) {
    slots.withUnsafeBufferPointer { slots in
      starts.withUnsafeBufferPointer { starts in
        arena.withUnsafeBufferPointer { arena in
          var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
          while slots[slot] != 0 {
            if slots[slot] >> 32 == hash >> 32 {
              let index = Int(slots[slot] & 0xFFFF_FFFF) - 1
              if ByteHash.areEqual(UnsafeBufferPointer(rebasing: arena[starts[index]..<starts[index + 1]]), key) {
                return (index, slot)
              }
            }
            slot = (slot + 1) & (slots.count - 1)
          }
          return (nil, slot)
        }
      }
    }
  }

  private mutating func grow() {
    slots = [UInt64](repeating: 0, count: 2 * slots.count)
    for index in 0..<count {
      let hash = arena[starts[index]..<starts[index + 1]].withUnsafeBufferPointer(Self.hash)
      var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = Self.entry(hash, index)
    }
  }

  private static func entry(_ hash: UInt64, _ index: Int) -> UInt64 {
    hash & 0xFFFF_FFFF_0000_0000 | UInt64(truncatingIfNeeded: index + 1)
  }

  /// Of every process's own, so that no file can be made whose strings collide.
  private static let seed = UInt64.random(in: .min ... .max)

  private static func hash(_ key: UnsafeBufferPointer<UInt8>) -> UInt64 { ByteHash.hash(key, seed: seed) }
}
