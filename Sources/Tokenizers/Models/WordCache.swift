import Values

/// Words of one text and where their ids are among those put out so far: a word that comes again is not merged again.
/// It holds the latest words that hash to a slot; nothing is copied, and its size is bounded.
struct WordCache {
  private struct Slot {
    var hash: UInt64 = 0
    var word = 0
    /// Bytes of the word; 0 in a free slot.
    var length: Int32 = 0
    var count: Int32 = 0
    var ids = 0
  }

  private var slots: [Slot]

  private static let mostSlots = 1 << 14
  /// Longer words seldom come again.
  private static let longestWord = 128

  /// - Parameter words: how many there will be.
  init(words: Int) {
    var size = 16
    while size < words, size < Self.mostSlots { size *= 2 }
    slots = [Slot](repeating: Slot(), count: size)
  }

  /// Appends the ids of the word at `range` of `text` to `ids`, where it is known, or else calls `encode` to do so.
  @inline(__always)
  mutating func append(
    _ range: Range<Int>, of text: UnsafeBufferPointer<UInt8>, to ids: inout [Int32],
    encode: (UnsafeBufferPointer<UInt8>, inout [Int32]) throws(GRAOError) -> Void
  ) throws(GRAOError) {
    let word = UnsafeBufferPointer(rebasing: text[range])
    guard word.count <= Self.longestWord else { return try encode(word, &ids) }
    let hash = ByteHash.hash(word, seed: 0)
    let index = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    let slot = slots[index]
    if slot.hash == hash, Int(slot.length) == word.count,
      ByteHash.areEqual(word, UnsafeBufferPointer(rebasing: text[slot.word..<slot.word + word.count]))
    {
      for offset in slot.ids..<slot.ids + Int(slot.count) { ids.append(ids[offset]) }
      return
    }
    let start = ids.count
    try encode(word, &ids)
    slots[index] = Slot(
      hash: hash, word: range.lowerBound, length: Int32(truncatingIfNeeded: word.count),
      count: Int32(truncatingIfNeeded: ids.count - start), ids: start)
  }
}
