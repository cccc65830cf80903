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

  /// The number of bytes of string `index`.
  func length(of index: Int) -> Int { starts[index + 1] - starts[index] }

  subscript(index: Int) -> ArraySlice<UInt8> { arena[starts[index]..<starts[index + 1]] }

  func index(of key: UnsafeBufferPointer<UInt8>) -> Int? {
    let hash = Self.hash(key)
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      if slots[slot] >> 32 == hash >> 32 {
        let index = Int(slots[slot] & 0xFFFF_FFFF) - 1
        if equals(index, key) { return index }
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  /// The number of `key`, new or old. The table holds up to 2³¹ strings.
  @discardableResult
  mutating func insert(_ key: UnsafeBufferPointer<UInt8>) -> Int {
    if let index = index(of: key) { return index }
    arena.append(contentsOf: key)
    starts.append(arena.count)
    if 2 * count > slots.count { grow() } else { place(count - 1, Self.hash(key)) }
    return count - 1
  }

  mutating func removeAll() {
    arena.removeAll(keepingCapacity: true)
    starts.removeSubrange(1...)
    for slot in slots.indices { slots[slot] = 0 }
  }

  private func equals(_ index: Int, _ key: UnsafeBufferPointer<UInt8>) -> Bool {
    guard length(of: index) == key.count else { return false }
    let start = starts[index]
    for offset in 0..<key.count where arena[start + offset] != key[offset] { return false }
    return true
  }

  private mutating func place(_ index: Int, _ hash: UInt64) {
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(index + 1)
  }

  private mutating func grow() {
    slots = [UInt64](repeating: 0, count: 2 * slots.count)
    for index in 0..<count {
      place(index, arena[starts[index]..<starts[index + 1]].withUnsafeBufferPointer(Self.hash))
    }
  }

  private static let seed = UInt64.random(in: .min ... .max)

  private static func hash(_ key: UnsafeBufferPointer<UInt8>) -> UInt64 {
    func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
      let product = a.multipliedFullWidth(by: b)
      return product.high ^ product.low
    }
    let bytes = UnsafeRawBufferPointer(key)
    var hash = seed ^ UInt64(key.count)
    var offset = 0
    while offset + 8 <= bytes.count {
      hash = mix(hash ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self), 0x9E37_79B9_7F4A_7C15)
      offset += 8
    }
    var tail: UInt64 = 0
    while offset < bytes.count {
      tail = tail << 8 | UInt64(bytes[offset])
      offset += 1
    }
    return mix(hash ^ tail, 0xD6E8_FEB8_6659_FD93)
  }
}
