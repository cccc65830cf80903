import Values

/// "ByteLevel": cuts by GPT-2's pattern, where `use_regex`, and spells every byte in `ByteAlphabet`.
struct ByteLevelPreTokenizer: PreTokenizer {
  private static let pattern = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  private let addPrefixSpace: Bool
  private let regex: Regex?

  init(_ description: StageDescription) throws(GRAOError) {
    addPrefixSpace = try description.boolean("add_prefix_space")
    regex = try description.boolean("use_regex", default: true) ? Regex(Self.pattern, path: description.path) : nil
  }

  func cut(_ pieces: inout Pieces) throws(GRAOError) {
    if addPrefixSpace { self.addPrefixSpace(to: &pieces) }
    if let regex {
      try SplitBehavior.isolated.cut(&pieces, invert: false) { text throws(GRAOError) in try regex.matches(in: text) }
    }
    var spelled: [UInt8] = []
    spelled.reserveCapacity(pieces.bytes.count + pieces.bytes.count / 2)
    pieces.bytes.withUnsafeBufferPointer { bytes in
      for index in pieces.ranges.indices {
        let start = spelled.count
        ByteAlphabet.spell(UnsafeBufferPointer(rebasing: bytes[pieces.ranges[index]]), to: &spelled)
        pieces.ranges[index] = start..<spelled.count
      }
    }
    pieces.bytes = spelled
  }

  /// A space before every piece that does not start with one.
  private func addPrefixSpace(to pieces: inout Pieces) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(pieces.bytes.count + pieces.ranges.count)
    for index in pieces.ranges.indices {
      let piece = pieces.bytes[pieces.ranges[index]]
      let start = bytes.count
      if piece.first != UInt8(ascii: " ") { bytes.append(UInt8(ascii: " ")) }
      bytes.append(contentsOf: piece)
      pieces.ranges[index] = start..<bytes.count
    }
    pieces.bytes = bytes
  }
}
