import Values

/// "Replace": every match of a literal or a regular expression gives way to a fixed text.
struct Replacement: Sendable {
  private let pattern: Pattern
  private let content: [UInt8]

  private enum Pattern {
    case literal([UInt8])
    case regex(Regex)
  }

  init(_ description: StageDescription) throws(GRAOError) {
    let pattern = try description.stage("pattern")
    let isRegex = pattern.value("Regex") != nil
    let written = try pattern.string(isRegex ? "Regex" : "String")
    // The empty text is everywhere, as to a regular expression.
    self.pattern =
      isRegex || written.isEmpty
      ? .regex(try Regex(written, path: description.path)) : .literal(Array(written.utf8))
    content = Array(try description.string("content").utf8)
  }

  /// Throws where the pattern runs over Oniguruma's bounds.
  func apply(to text: [UInt8]) throws(GRAOError) -> [UInt8] {
    var first = 0
    return try apply(to: text, first: &first)
  }

  /// - Parameter first: how many bytes at the start of the text stand for its first character, as `FirstCharacter` has it.
  func apply(to text: [UInt8], first: inout Int) throws(GRAOError) -> [UInt8] {
    switch pattern {
    case .literal(let literal):
      if first > 0 {
        let matches = text.prefix(first + literal.count).ranges(of: literal)
        first = FirstCharacter.count(first, replacing: matches, with: content.count)
      }
      return text.replacing(literal, with: content)
    case .regex(let regex):
      // In HF's an empty text has no match, whatever the pattern.
      guard !text.isEmpty else { return text }
      let matches = try text.withUnsafeBufferPointer { text throws(GRAOError) in try regex.matches(in: text) }
      guard !matches.isEmpty else { return text }
      if first > 0 { first = FirstCharacter.count(first, replacing: matches, with: content.count) }
      var out: [UInt8] = []
      out.reserveCapacity(text.count)
      var rest = 0
      for match in matches {
        out += text[rest..<match.lowerBound]
        out += content
        rest = match.upperBound
      }
      return out + text[rest...]
    }
  }
}

extension [UInt8] {
  /// The bytes with every occurrence of `old`, from the left and without overlap, replaced. An empty one has none.
  func replacing(_ old: [UInt8], with new: [UInt8]) -> [UInt8] {
    guard let first = old.first, contains(first) else { return self }
    var out: [UInt8] = []
    out.reserveCapacity(count)
    var position = 0
    while position < count {
      if self[position] == first, self[position...].starts(with: old) {
        out += new
        position += old.count
      } else {
        out.append(self[position])
        position += 1
      }
    }
    return out
  }
}
