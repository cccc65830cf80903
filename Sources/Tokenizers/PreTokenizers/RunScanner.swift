/// Patterns of one class of characters, perhaps several of them, perhaps behind a white space: `[\r\n]`, `\p{N}{1,3}`,
/// `\s?[a-zµ]+`, `[0-9][0-9][0-9]`. Of such the split patterns of DeepSeek and Falcon are made, one after the other.
struct RunScanner: Sendable {
  /// A bit for every scalar.
  private var members = [UInt64](repeating: 0, count: 0x11_0000 / 64)
  private let takesSpace: Bool
  /// How many characters of the class.
  private let count: ClosedRange<Int>

  /// Nil for a pattern of any other form.
  init?(_ pattern: String) {
    var rest = Array(pattern.unicodeScalars)[...]
    takesSpace = rest.starts(with: #"\s?"#.unicodeScalars)
    if takesSpace { rest.removeFirst(3) }
    let start = rest
    guard let members = Self.takeClass(&rest) else { return nil }
    let written = start[..<rest.startIndex]
    let times = rest.count / written.count + 1
    switch String(String.UnicodeScalarView(rest)) {
    case "": count = 1...1
    case "+": count = 1...Int.max
    case "{1,3}": count = 1...3
    default:
      guard rest.elementsEqual(repeatElement(written, count: times - 1).joined()) else { return nil }
      count = times...times
    }
    for value in members.joined() { self.members[Int(value >> 6)] |= 1 << UInt64(value & 63) }
  }

  /// The scalars of the class that `pattern` starts with, which is taken off.
  private static func takeClass(_ pattern: inout ArraySlice<Unicode.Scalar>) -> [ClosedRange<UInt32>]? {
    func named(_ pattern: inout ArraySlice<Unicode.Scalar>) -> [ClosedRange<UInt32>]? {
      guard pattern.starts(with: #"\p{"#.unicodeScalars), let end = pattern.firstIndex(of: "}") else { return nil }
      let name = String(String.UnicodeScalarView(pattern[pattern.startIndex + 3..<end]))
      pattern = pattern[(end + 1)...]
      return UnicodeTables.ranges[name]
    }
    if pattern.first == "\\" { return named(&pattern) }
    guard pattern.popFirst() == "[" else { return nil }
    var ranges: [ClosedRange<UInt32>] = []
    while let scalar = pattern.popFirst() {
      if scalar == "]" { return ranges.isEmpty ? nil : ranges }
      switch (scalar, pattern.first) {
      case ("\\", "r"), ("\\", "n"): ranges.append(pattern.popFirst() == "r" ? 0x0D...0x0D : 0x0A...0x0A)
      case ("\\", _), ("[", _), ("^", _), ("-", _), ("&", "&"): return nil
      case (_, "-"):
        pattern.removeFirst()
        guard let last = pattern.popFirst(), last.value >= scalar.value, !"\\[]".unicodeScalars.contains(last) else {
          return nil
        }
        ranges.append(scalar.value...last.value)
      default: ranges.append(scalar.value...scalar.value)
      }
    }
    return nil
  }

  /// Appends all matches in order, without overlap.
  func appendMatches(in text: UnsafeBufferPointer<UInt8>, to found: inout [Range<Int>]) {
    members.withUnsafeBufferPointer { members in
      /// Where the match of the class from `position` on ends; nil where there are too few.
      func end(from position: Int) -> Int? {
        var (end, length) = (position, 0)
        while end < text.count, length < count.upperBound {
          let scalar = UTF8Text.scalar(in: text, at: end)
          guard members[Int(scalar.value >> 6)] >> UInt64(scalar.value & 63) & 1 == 1 else { break }
          end += scalar.length
          length += 1
        }
        return length < count.lowerBound ? nil : end
      }
      var position = 0
      while position < text.count {
        let scalar = UTF8Text.scalar(in: text, at: position)
        let next = position + scalar.length
        // A white space that is of the class itself ends where it would without.
        var match = end(from: position)
        if match == nil, takesSpace, UTF8Text.isWhitespace(scalar.value) { match = end(from: next) }
        if let match { found.append(position..<match) }
        position = match ?? next
      }
    }
  }
}
