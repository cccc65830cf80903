import Values

/// "Split": cuts at the matches of a regular expression or of a literal string.
struct SplitPreTokenizer: PreTokenizer {
  private let pattern: WordPattern
  private let behavior: SplitBehavior
  private let invert: Bool

  init(_ description: StageDescription) throws(GRAOError) {
    let pattern = try description.stage("pattern")
    let expression: String
    if pattern.value("Regex") != nil {
      expression = try pattern.string("Regex")
    } else {
      expression = Self.escape(try pattern.string("String"))
    }
    self.pattern = try WordPattern(expression, path: description.path)
    behavior = try SplitBehavior(description)
    invert = try description.boolean("invert", default: false)
  }

  func cut(_ pieces: inout Pieces) throws(GRAOError) {
    try behavior.cut(&pieces, invert: invert) { text, found throws(GRAOError) in
      try pattern.appendMatches(in: text, to: &found)
    }
  }

  private static func escape(_ literal: String) -> String {
    var pattern = ""
    for scalar in literal.unicodeScalars {
      if scalar.isASCII, !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar), scalar.value > 0x20 {
        pattern.unicodeScalars.append("\\")
      }
      pattern.unicodeScalars.append(scalar)
    }
    return pattern
  }
}
