import Values

/// "Replace": every match of a pattern.
struct ReplaceNormalizer: Normalizer {
  let replacement: Replacement

  func normalize(_ text: inout [UInt8], first: inout Int) throws(GRAOError) {
    text = try replacement.apply(to: text, first: &first)
  }
}

/// "Prepend": a text before every one that is not empty.
struct PrependNormalizer: Normalizer {
  let prefix: [UInt8]

  func normalize(_ text: inout [UInt8], first: inout Int) {
    guard !text.isEmpty else { return }
    text.insert(contentsOf: prefix, at: 0)
    if first > 0 { first += prefix.count }
  }
}

/// "Strip": takes the white space at either end away.
struct StripNormalizer: Normalizer {
  let left: Bool
  let right: Bool

  func normalize(_ text: inout [UInt8], first: inout Int) {
    let kept = text.withUnsafeBufferPointer { text in
      var start = 0
      var end = text.count
      while left, start < end {
        let scalar = UTF8Text.scalar(in: text, at: start)
        guard UTF8Text.isWhitespace(scalar.value) else { break }
        start += scalar.length
      }
      while right, end > start {
        let scalar = UTF8Text.scalar(in: text, before: end)
        guard UTF8Text.isWhitespace(scalar.value) else { break }
        end -= scalar.length
      }
      return start..<end
    }
    text = Array(text[kept])
    first = min(max(0, first - kept.lowerBound), kept.count)
  }
}
