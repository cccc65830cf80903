/// A text on its way through the pre-tokenizers: its bytes (well-formed UTF-8), and the pieces that it is cut into so
/// far, in order, none of them empty.
struct Pieces {
  var bytes: [UInt8]
  var ranges: [Range<Int>]
  /// Whether the whole text starts here, rather than an added token standing before.
  let startsText: Bool

  init(_ bytes: [UInt8], startsText: Bool) {
    self.bytes = bytes
    self.startsText = startsText
    ranges = bytes.isEmpty ? [] : [0..<bytes.count]
  }
}
