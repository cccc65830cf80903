import Values

/// "ByteLevel": cuts by GPT-2's pattern, where `use_regex`, and spells every byte in `ByteAlphabet`.
struct ByteLevelPreTokenizer: PreTokenizer {
  private let addPrefixSpace: Bool
  private let pattern: WordPattern?

  init(_ description: StageDescription) throws(GRAOError) {
    addPrefixSpace = try description.boolean("add_prefix_space")
    pattern =
      try description.boolean("use_regex", default: true)
      ? WordPattern(GPT2Scanner.pattern, path: description.path) : nil
  }

  func cut(_ pieces: inout Pieces) throws(GRAOError) {
    if addPrefixSpace { self.addPrefixSpace(to: &pieces) }
    if let pattern {
      try SplitBehavior.isolated.cut(&pieces, invert: false) { text, found throws(GRAOError) in
        try pattern.appendMatches(in: text, to: &found)
      }
    }
    pieces.isUnspelled = true
  }

  /// A space before every piece that does not start with one.
  private func addPrefixSpace(to pieces: inout Pieces) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(pieces.bytes.count + pieces.ranges.count)
    var first = 0
    for index in pieces.ranges.indices {
      let piece = pieces.bytes[pieces.ranges[index]]
      let start = bytes.count
      if piece.first != UInt8(ascii: " ") { bytes.append(UInt8(ascii: " ")) }
      bytes.append(contentsOf: piece)
      if piece.startIndex < pieces.first { first = bytes.count - max(0, piece.endIndex - pieces.first) }
      pieces.ranges[index] = start..<bytes.count
    }
    pieces.bytes = bytes
    pieces.first = first
  }
}
