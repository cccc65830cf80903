import Values

/// "Digits": sets numbers apart from their surroundings, whole or digit by digit.
struct DigitsPreTokenizer: PreTokenizer {
  private let behavior: SplitBehavior

  init(_ description: StageDescription) throws(GRAOError) {
    behavior = try description.boolean("individual_digits") ? .isolated : .contiguous
  }

  func cut(_ pieces: inout Pieces) throws(GRAOError) {
    try behavior.cut(&pieces, invert: false) { text, digits throws(GRAOError) in
      var position = 0
      while position < text.count {
        let scalar = UTF8Text.scalar(in: text, at: position)
        if UTF8Text.isNumeric(scalar.value) { digits.append(position..<position + scalar.length) }
        position += scalar.length
      }
    }
  }
}
