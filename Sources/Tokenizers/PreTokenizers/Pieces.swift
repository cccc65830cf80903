/// A text on its way through the pre-tokenizers: its bytes (well-formed UTF-8), and the pieces that it is cut into so
/// far, in order, none of them empty.
struct Pieces {
  var bytes: [UInt8]
  var ranges: [Range<Int>]
  /// Whether the whole text starts here, rather than an added token standing before.
  let startsText: Bool
  /// Whether every byte stands for its character of `ByteAlphabet`: most models that want them spelled so know their
  /// tokens by the bytes as well.
  var isUnspelled = false

  init(_ bytes: [UInt8], startsText: Bool) {
    self.bytes = bytes
    self.startsText = startsText
    ranges = bytes.isEmpty ? [] : [0..<bytes.count]
  }

  /// Writes the characters out, where that is still to be done.
  mutating func spell() {
    guard isUnspelled else { return }
    isUnspelled = false
    var spelled: [UInt8] = []
    spelled.reserveCapacity(bytes.count + bytes.count / 2)
    bytes.withUnsafeBufferPointer { bytes in
      for index in ranges.indices {
        let start = spelled.count
        ByteAlphabet.spell(UnsafeBufferPointer(rebasing: bytes[ranges[index]]), to: &spelled)
        ranges[index] = start..<spelled.count
      }
    }
    bytes = spelled
  }
}
