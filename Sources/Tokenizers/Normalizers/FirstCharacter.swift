/// How many bytes at the start of a text stand for the first character of the text as it was given, by HF tokenizers'
/// reckoning: a normalizer puts down characters each of which is a new one and belongs to the one before, or replaces
/// the next one of the text before, and perhaps removes some after that. ("Metaspace" asks for it.)
struct FirstCharacter {
  /// The text before, and how many bytes of it stand for the first character.
  private let source: UnsafeBufferPointer<UInt8>
  private let count: Int
  /// The next character of `source` to be replaced.
  private var position = 0
  /// The bytes put down so far that stand for the first character.
  private(set) var written = 0
  /// Whether all that follows stands for later characters.
  private(set) var isOver: Bool

  init(_ source: UnsafeBufferPointer<UInt8>, count: Int) {
    self.source = source
    self.count = count
    isOver = count == 0
  }

  /// The next character put down: `change` is 1 for a new one, 0 for one in the place of another, and negative for one
  /// that takes the place of another and of as many more.
  mutating func put(_ value: UInt32, change: Int) {
    let origin = change > 0 ? max(0, position - 1) : position
    guard !isOver, origin < count else {
      isOver = true
      return
    }
    written += Unicode.Scalar(value).map(UTF8.width) ?? 0
    for _ in 0..<max(0, 1 - change) where position < source.count {
      position += UTF8Text.scalar(in: source, at: position).length
    }
  }

  /// The text before stays as it is up to `end`.
  mutating func keep(to end: Int) {
    guard !isOver else { return }
    written += max(0, min(end, count) - position)
    position = max(position, end)
    isOver = position >= count
  }

  /// Of a text in which each of `matches` gave way to `length` bytes, which belong to the last character of the match.
  static func count(_ count: Int, replacing matches: some Sequence<Range<Int>>, with length: Int) -> Int {
    var written = 0
    var rest = 0
    for match in matches {
      guard match.lowerBound < count else { break }
      written += match.lowerBound - rest
      guard match.upperBound <= count else { return written }
      written += length
      rest = match.upperBound
    }
    return written + count - rest
  }
}
