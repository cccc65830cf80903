import Values

/// Cuts by the kind of the characters: those of which `isDelimiter` holds are delimiters, one by one.
struct CharacterPreTokenizer: PreTokenizer {
  let behavior: SplitBehavior
  let isDelimiter: @Sendable (UInt32) -> Bool

  /// "WhitespaceSplit".
  static let whitespace = CharacterPreTokenizer(behavior: .removed, isDelimiter: UTF8Text.isWhitespace)

  /// "Punctuation".
  static func punctuation(_ description: StageDescription) throws(GRAOError) -> CharacterPreTokenizer {
    let behavior = description.value("behavior") == nil ? .isolated : try SplitBehavior(description)
    return CharacterPreTokenizer(behavior: behavior, isDelimiter: UnicodeEight.isPunctuation)
  }

  /// "CharDelimiterSplit".
  static func delimiter(_ description: StageDescription) throws(GRAOError) -> CharacterPreTokenizer {
    let delimiter = try description.string("delimiter")
    guard let scalar = delimiter.unicodeScalars.first, delimiter.unicodeScalars.count == 1 else {
      throw GRAOError("\(description.path).delimiter: expected one character, found '\(delimiter)'")
    }
    return CharacterPreTokenizer(behavior: .removed) { $0 == scalar.value }
  }

  func cut(_ pieces: inout Pieces) throws(GRAOError) {
    try behavior.cut(&pieces, invert: false) { text, found throws(GRAOError) in
      var position = 0
      while position < text.count {
        let scalar = UTF8Text.scalar(in: text, at: position)
        if isDelimiter(scalar.value) { found.append(position..<position + scalar.length) }
        position += scalar.length
      }
    }
  }
}
