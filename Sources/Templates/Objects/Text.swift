/// A Python string: a sequence of code points, kept as valid UTF-8. Equal where the bytes are equal, so that "é" as
/// one code point and as two differ; Swift's String calls them equal.
struct Text: Hashable, Sendable {
  private(set) var bytes: [UInt8]

  init(_ string: some StringProtocol) { bytes = Array(string.utf8) }

  /// - Parameter bytes: valid UTF-8.
  init(bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  init(scalars: some Sequence<Unicode.Scalar>) {
    bytes = []
    for scalar in scalars { append(scalar) }
  }

  /// A text over and over.
  init(repeating text: Text, count: Int) {
    let total = text.bytes.count * count
    bytes = count > 0 ? text.bytes : []
    // Twice as much each time, which is many times as fast as one by one.
    while bytes.count < total { bytes += bytes.prefix(total - bytes.count) }
  }

  var string: String { String(decoding: bytes, as: UTF8.self) }
  var isEmpty: Bool { bytes.isEmpty }
  var isASCII: Bool { bytes.allSatisfy { $0 < 0x80 } }

  /// Code points.
  var count: Int { bytes.count { !Text.continues($0) } }

  var scalars: [Unicode.Scalar] { Array(string.unicodeScalars) }

  static func continues(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

  mutating func append(_ other: Text) { bytes += other.bytes }
  mutating func append(_ scalar: Unicode.Scalar) { bytes += scalar.utf8 }

  static func + (left: Text, right: Text) -> Text { Text(bytes: left.bytes + right.bytes) }

  /// The byte at which code point `index` begins, or the end.
  func offset(of index: Int) -> Int {
    var remaining = index
    for (offset, byte) in bytes.enumerated() where !Text.continues(byte) {
      if remaining == 0 { return offset }
      remaining -= 1
    }
    return bytes.count
  }

  /// Code point `index`, which is below `count`.
  func character(at index: Int) -> Text {
    let start = offset(of: index)
    return Text(bytes: bytes[start..<end(ofCharacterAt: start)])
  }

  /// One text for each code point.
  var characters: [Text] {
    var characters: [Text] = []
    var start = 0
    while start < bytes.count {
      let end = end(ofCharacterAt: start)
      characters.append(Text(bytes: bytes[start..<end]))
      start = end
    }
    return characters
  }

  private func end(ofCharacterAt start: Int) -> Int {
    var end = start + 1
    while end < bytes.count, Text.continues(bytes[end]) { end += 1 }
    return end
  }

  /// Code points `range`, which lie within the text.
  func slice(_ range: Range<Int>) -> Text {
    let start = offset(of: range.lowerBound)
    let rest = Text(bytes: bytes[start...])
    return Text(bytes: rest.bytes[..<rest.offset(of: range.count)])
  }
}

/// Code point order, which for UTF-8 is byte order.
extension Text: Comparable {
  static func < (left: Text, right: Text) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}

extension Text: ExpressibleByStringLiteral {
  init(stringLiteral value: String) { self.init(value) }
}
