import Values

/// What becomes of the delimiters that a pattern finds.
enum SplitBehavior: String {
  /// Each is a piece of its own.
  case isolated = "Isolated"
  case removed = "Removed"
  /// Each joins the piece before it.
  case mergedWithPrevious = "MergedWithPrevious"
  /// Each joins the piece after it.
  case mergedWithNext = "MergedWithNext"
  /// Neighbouring ones are one piece.
  case contiguous = "Contiguous"

  /// The stage's "behavior".
  init(_ description: StageDescription) throws(GRAOError) {
    let name = try description.string("behavior")
    guard let behavior = SplitBehavior(rawValue: name) else {
      throw GRAOError("\(description.path).behavior: '\(name)' is not supported")
    }
    self = behavior
  }

  /// Cuts each piece. `find` appends the delimiters inside one piece, in order and without overlap, as ranges within it.
  /// Where `invert`, the delimiters are what lies between those.
  func cut(
    _ pieces: inout Pieces, invert: Bool,
    find: (UnsafeBufferPointer<UInt8>, inout [Range<Int>]) throws(GRAOError) -> Void
  ) throws(GRAOError) {
    var ranges: [Range<Int>] = []
    ranges.reserveCapacity(pieces.ranges.count)
    var found: [Range<Int>] = []
    var parts: [Part] = []
    try pieces.bytes.withUnsafeBufferPointer { bytes throws(GRAOError) in
      for piece in pieces.ranges {
        found.removeAll(keepingCapacity: true)
        try find(UnsafeBufferPointer(rebasing: bytes[piece]), &found)
        divide(piece, found, invert: invert, into: &parts)
        append(parts, to: &ranges)
      }
    }
    pieces.ranges = ranges
  }

  private typealias Part = (range: Range<Int>, isDelimiter: Bool)

  /// The whole piece as delimiters and what lies between them.
  private func divide(_ piece: Range<Int>, _ found: [Range<Int>], invert: Bool, into parts: inout [Part]) {
    parts.removeAll(keepingCapacity: true)
    var position = piece.lowerBound
    for match in found {
      let start = piece.lowerBound + match.lowerBound
      let end = piece.lowerBound + match.upperBound
      if position < start { parts.append((position..<start, invert)) }
      parts.append((start..<end, !invert))
      position = end
    }
    if position < piece.upperBound { parts.append((position..<piece.upperBound, invert)) }
  }

  private func append(_ parts: [Part], to ranges: inout [Range<Int>]) {
    let first = ranges.count
    var previous = false
    switch self {
    case .isolated:
      for part in parts { ranges.append(part.range) }
    case .removed:
      for part in parts where !part.isDelimiter { ranges.append(part.range) }
    case .contiguous:
      for part in parts {
        if part.isDelimiter == previous, ranges.count > first {
          ranges[ranges.count - 1] = ranges[ranges.count - 1].lowerBound..<part.range.upperBound
        } else {
          ranges.append(part.range)
        }
        previous = part.isDelimiter
      }
    case .mergedWithPrevious:
      for part in parts {
        if part.isDelimiter, !previous, ranges.count > first {
          ranges[ranges.count - 1] = ranges[ranges.count - 1].lowerBound..<part.range.upperBound
        } else {
          ranges.append(part.range)
        }
        previous = part.isDelimiter
      }
    case .mergedWithNext:
      for part in parts.reversed() {
        if part.isDelimiter, !previous, ranges.count > first {
          ranges[ranges.count - 1] = part.range.lowerBound..<ranges[ranges.count - 1].upperBound
        } else {
          ranges.append(part.range)
        }
        previous = part.isDelimiter
      }
      ranges[first...].reverse()
    }
    // A pattern may match nothing at all; no piece is empty.
    if parts.contains(where: { $0.range.isEmpty }) {
      ranges.replaceSubrange(first..., with: ranges[first...].filter { !$0.isEmpty })
    }
  }
}
