import Values

/// "Whitespace": runs of word characters, and runs of what is neither that nor white space (`\w+|[^\w\s]+`).
struct WordPreTokenizer: PreTokenizer {
  private enum Kind { case word, space, other }

  func cut(_ pieces: inout Pieces) throws(GRAOError) {
    try SplitBehavior.removed.cut(&pieces, invert: true) { text, found throws(GRAOError) in
      var previous = Kind.space
      var position = 0
      while position < text.count {
        let scalar = UTF8Text.scalar(in: text, at: position)
        let kind = Self.kind(scalar.value)
        let end = position + scalar.length
        if kind != .space {
          if kind == previous, let last = found.popLast() {
            found.append(last.lowerBound..<end)
          } else {
            found.append(position..<end)
          }
        }
        previous = kind
        position = end
      }
    }
  }

  private static func kind(_ value: UInt32) -> Kind {
    if UTF8Text.isWord(value) { return .word }
    return UTF8Text.isWhitespace(value) ? .space : .other
  }
}
