/// Character categories as Unicode 8 has them, the version that HF tokenizers' BERT stages and "Punctuation" know.
enum UnicodeEight {
  /// Those of the first plane, looked up once.
  private static let categories = (0..<0x10000 as Range<UInt32>).map(lookUp)

  private static func category(_ value: UInt32) -> Unicode.GeneralCategory? {
    value < 0x10000 ? categories[Int(value)] : lookUp(value)
  }

  private static func lookUp(_ value: UInt32) -> Unicode.GeneralCategory? {
    switch value {
    // Those that later versions moved.
    case 0x166D, 0x111C9: return .otherPunctuation
    case 0x1734: return .nonspacingMark
    case 0x1885, 0x1886: return .otherLetter
    case 0xA9BD: return .spacingMark
    default: break
    }
    guard let properties = Unicode.Scalar(value)?.properties, let age = properties.age, age <= (8, 0) else {
      return nil
    }
    return properties.generalCategory
  }

  /// Punctuation of any category, and all ASCII characters that look like it ("$", "+", "`", …).
  @Sendable static func isPunctuation(_ value: UInt32) -> Bool {
    if value < 0x80 {
      return (0x21...0x2F).contains(value) || (0x3A...0x40).contains(value) || (0x5B...0x60).contains(value)
        || (0x7B...0x7E).contains(value)
    }
    switch category(value) {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
      .finalPunctuation, .otherPunctuation:
      return true
    default: return false
    }
  }

  static func isNonspacingMark(_ value: UInt32) -> Bool { value >= 0x300 && category(value) == .nonspacingMark }

  /// Control, format and private-use characters.
  static func isOther(_ value: UInt32) -> Bool {
    switch category(value) {
    case .control, .format, .privateUse: return true
    default: return false
    }
  }
}
