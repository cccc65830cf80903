/// Unicode scalars in UTF-8 that is known to be well formed, as Swift strings and what is made of them are.
enum UTF8Text {
  /// The scalar that starts at `position`, and its length in bytes.
  @inline(__always)
  static func scalar(in text: UnsafeBufferPointer<UInt8>, at position: Int) -> (value: UInt32, length: Int) {
    let first = UInt32(text[position])
    func next(_ offset: Int) -> UInt32 { UInt32(text[position + offset]) & 0x3F }
    if first < 0x80 { return (first, 1) }
    if first < 0xE0 { return ((first & 0x1F) << 6 | next(1), 2) }
    if first < 0xF0 { return ((first & 0x0F) << 12 | next(1) << 6 | next(2), 3) }
    return ((first & 0x07) << 18 | next(1) << 12 | next(2) << 6 | next(3), 4)
  }

  /// The scalar that ends just before `position`, which is not 0.
  static func scalar(in text: UnsafeBufferPointer<UInt8>, before position: Int) -> (value: UInt32, length: Int) {
    var start = position - 1
    while start > 0, text[start] & 0xC0 == 0x80 { start -= 1 }
    return scalar(in: text, at: start)
  }

  /// White space as Unicode has it (Rust's `\s`).
  static func isWhitespace(_ value: UInt32) -> Bool {
    if value < 0x80 { return value == 0x20 || (0x09...0x0D).contains(value) }
    // The last is the ideographic space.
    if value > 0x3000 { return false }
    return Unicode.Scalar(value)?.properties.isWhitespace ?? false
  }

  /// What may stand inside a word (Rust's `\w`, UTS #18 annex C), in Unicode 16.
  static func isWord(_ value: UInt32) -> Bool {
    guard let scalar = Unicode.Scalar(value), let age = scalar.properties.age, age <= (16, 0) else { return false }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
    default: return scalar.properties.isAlphabetic || value == 0x200C || value == 0x200D
    }
  }

  /// Nd, Nl or No (Rust's `char::is_numeric`).
  static func isNumeric(_ value: UInt32) -> Bool {
    if value < 0x80 { return (0x30...0x39).contains(value) }
    switch Unicode.Scalar(value)?.properties.generalCategory {
    case .decimalNumber, .letterNumber, .otherNumber: return true
    default: return false
    }
  }

  /// The length of the longest prefix that does not end inside a character: what follows is the start of a well-formed
  /// sequence whose rest is still to come.
  static func completePrefix(of bytes: [UInt8]) -> Int {
    for back in 1...3 where back <= bytes.count {
      let start = bytes.count - back
      let first = bytes[start]
      if first & 0xC0 == 0x80 { continue }
      let length = first < 0xC2 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 1
      guard back < length else { return bytes.count }
      // The second byte of some sequences is bounded (no overlong forms, no surrogates, nothing above U+10FFFF).
      if back > 1 {
        let second = bytes[start + 1]
        switch first {
        case 0xE0 where second < 0xA0, 0xED where second > 0x9F, 0xF0 where second < 0x90, 0xF4 where second > 0x8F:
          return bytes.count
        default: break
        }
      }
      return start
    }
    return bytes.count
  }
}
