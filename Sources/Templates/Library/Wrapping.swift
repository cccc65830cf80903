/// Python's textwrap: what `wordwrap` cuts a line into.
struct Wrapping {
  /// The most code points of a line, 1 or more.
  let width: Int
  /// Whether a word that is longer than a line is cut.
  let breaksLongWords: Bool
  let breaksAtHyphens: Bool

  private typealias Chunk = ArraySlice<Unicode.Scalar>

  func lines(of text: Text) -> [Text] {
    var chunks = Array(chunks(of: text.scalars).reversed())
    var lines: [Text] = []
    while let first = chunks.last {
      if !lines.isEmpty, first.allSatisfy(\.isSpace) { chunks.removeLast() }
      var line: [Chunk] = []
      var count = 0
      while let next = chunks.last, count + next.count <= width {
        line.append(next)
        count += next.count
        chunks.removeLast()
      }
      if let next = chunks.last, next.count > width { take(next, from: &chunks, to: &line, count) }
      if let last = line.last, last.allSatisfy(\.isSpace) { line.removeLast() }
      if !line.isEmpty { lines.append(Text(scalars: line.joined())) }
    }
    return lines
  }

  /// Puts as much of a word that fits on no line on this one as there is room for.
  private func take(_ word: Chunk, from chunks: inout [Chunk], to line: inout [Chunk], _ count: Int) {
    guard breaksLongWords else {
      if line.isEmpty { line.append(chunks.removeLast()) }
      return
    }
    let room = width - count
    var end = room
    if breaksAtHyphens, let hyphen = word.prefix(room).lastIndex(of: "-"), hyphen > word.startIndex,
      word[..<hyphen].contains(where: { $0 != "-" })
    {
      end = hyphen + 1 - word.startIndex
    }
    line.append(word.prefix(end))
    chunks[chunks.count - 1] = word.dropFirst(end)
  }

  /// Runs of white space, and what lies between them, which may be cut behind hyphens and around dashes.
  private func chunks(of text: [Unicode.Scalar]) -> [Chunk] {
    var chunks: [Chunk] = []
    var start = 0
    while start < text.count {
      let end = Self.isBlank(text[start]) ? endOfBlank(text, start) : endOfWord(text, start)
      chunks.append(text[start..<end])
      start = end
    }
    return chunks
  }

  private static func isBlank(_ scalar: Unicode.Scalar) -> Bool { "\t\n\u{B}\u{C}\r ".unicodeScalars.contains(scalar) }

  private func endOfBlank(_ text: [Unicode.Scalar], _ start: Int) -> Int {
    text[start...].firstIndex { !Self.isBlank($0) } ?? text.count
  }

  private func endOfWord(_ text: [Unicode.Scalar], _ start: Int) -> Int {
    if breaksAtHyphens, let end = endOfDash(text, start) { return end }
    for end in start + 1..<text.count {
      if Self.isBlank(text[end]) { return end }
      guard breaksAtHyphens, text[end] == "-" else { continue }
      if isHyphen(text, end) { return end + 1 }
      if endOfDash(text, end) != nil { return end }
    }
    return text.count
  }

  /// Where a dash, two hyphens or more between words, ends.
  private func endOfDash(_ text: [Unicode.Scalar], _ start: Int) -> Int? {
    guard start > 0, text[start - 1].isWord || "!\"'&.,?".unicodeScalars.contains(text[start - 1]),
      let end = text[start...].firstIndex(where: { $0 != "-" }), end >= start + 2, text[end].isWord
    else { return nil }
    return end
  }

  /// Whether a hyphen stands between parts of a word, of two letters at least, or of single ones with hyphens between.
  private func isHyphen(_ text: [Unicode.Scalar], _ place: Int) -> Bool {
    func isLetter(_ index: Int) -> Bool {
      text.indices.contains(index) && text[index].isWord && !text[index].isDecimal
    }
    func isHyphen(_ index: Int) -> Bool { text.indices.contains(index) && text[index] == "-" }
    guard isLetter(place - 1), isLetter(place - 2) || isHyphen(place - 2) && isLetter(place - 3) else { return false }
    return isLetter(place + 1) && isLetter(isHyphen(place + 2) ? place + 3 : place + 2)
  }
}
