/// White space up to the end of a line: in each run of it up to its last newline but one at its beginning, or all of it at
/// the end of the text. A backtracking engine looks at a run once for every character of it.
struct LineEndScanner {
  static let pattern = #"\s+$"#

  /// Appends all matches in order, without overlap.
  func appendMatches(in text: UnsafeBufferPointer<UInt8>, to found: inout [Range<Int>]) {
    CharacterClasses.classified(text) { text in
      var position = 0
      while position < text.bytes.count {
        var (end, newline) = (position, position)
        while end < text.bytes.count {
          let next = text.character(at: end)
          guard CharacterClass.space.has(next.kind) else { break }
          if text.byte(at: end) == UInt8(ascii: "\n") { newline = end }
          end = next.end
        }
        if end == text.bytes.count, end > position {
          found.append(position..<end)
        } else if newline > position {
          found.append(position..<newline)
        }
        position = end > position ? end : text.character(at: position).end
      }
    }
  }
}
