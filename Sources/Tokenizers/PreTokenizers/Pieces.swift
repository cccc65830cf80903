/// A text on its way through the pre-tokenizers: its bytes (well-formed UTF-8), and the pieces that it is cut into so
/// far, in order, none of them empty.
struct Pieces {
  var bytes: [UInt8]
  var ranges: [Range<Int>]
  /// How many bytes at the start stand for the first character of the whole text, as `FirstCharacter` has it.
  var first: Int
  /// Whether every byte stands for its character of `ByteAlphabet`: most models that want them spelled so know their
  /// tokens by the bytes as well.
  var isUnspelled = false

  init(_ bytes: [UInt8], first: Int) {
    self.bytes = bytes
    self.first = first
    ranges = bytes.isEmpty ? [] : [0..<bytes.count]
  }

  /// Writes the characters out, where that is still to be done.
  mutating func spell() {
    guard isUnspelled else { return }
    isUnspelled = false
    var spelled: [UInt8] = []
    spelled.reserveCapacity(bytes.count + bytes.count / 2)
    var written = 0
    bytes.withUnsafeBufferPointer { bytes in
      for index in ranges.indices {
        let start = spelled.count
        let range = ranges[index]
        // The first character's bytes apart, to count them.
        let middle = min(max(range.lowerBound, first), range.upperBound)
        ByteAlphabet.spell(UnsafeBufferPointer(rebasing: bytes[range.lowerBound..<middle]), to: &spelled)
        if middle > range.lowerBound { written = spelled.count }
        ByteAlphabet.spell(UnsafeBufferPointer(rebasing: bytes[middle..<range.upperBound]), to: &spelled)
        ranges[index] = start..<spelled.count
      }
    }
    bytes = spelled
    first = written
  }
}
