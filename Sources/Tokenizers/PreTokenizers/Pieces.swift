/// A text on its way through the pre-tokenizers: its bytes (well-formed UTF-8), and the pieces that it is cut into so
/// far, in order, none of them empty.
struct Pieces {
  var bytes: [UInt8]
  var ranges: [Range<Int>]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    ranges = bytes.isEmpty ? [] : [0..<bytes.count]
  }
}
