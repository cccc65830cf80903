import GRAO

/// Tokens for people to look at.
struct TokenDisplay {
  let tokenizer: Tokenizer
  let coloured: Bool

  /// Backgrounds that alternate, so that the borders of pieces are seen.
  private static let backgrounds = ["\u{1B}[48;5;24m", "\u{1B}[48;5;54m"]
  private static let trainedBackgrounds = ["\u{1B}[48;5;28m", "\u{1B}[48;5;22m"]
  private static let dim = "\u{1B}[2m"
  private static let reset = "\u{1B}[0m"

  /// - Parameter trained: whether each token is trained on, where that is a question.
  func text(_ ids: [Int32], trained: [Bool]?) -> String {
    coloured ? inColour(ids, trained) : inLines(ids, trained)
  }

  private func inLines(_ ids: [Int32], _ trained: [Bool]?) -> String {
    ids.indices.map { index in
      let mark = trained.map { $0[index] ? "\ttrained" : "\t-" } ?? ""
      return "\(ids[index])\(mark)\t\(piece(ids[index]))"
    }.joined(separator: "\n")
  }

  private func inColour(_ ids: [Int32], _ trained: [Bool]?) -> String {
    var text = ""
    for (index, id) in ids.enumerated() {
      let backgrounds = trained?[index] == true ? Self.trainedBackgrounds : Self.backgrounds
      text += backgrounds[index % 2] + piece(id) + Self.reset
      if tokenizer.bytes(of: id)?.last == UInt8(ascii: "\n") { text += "\n" }
    }
    let list = ids.map(String.init).joined(separator: " ")
    let count = trained.map { " (\($0.count { $0 }) trained, green)" } ?? ""
    return "\(text)\n\(Self.dim)\(ids.count) tokens\(count): \(list)\(Self.reset)"
  }

  /// What a token adds to a text, control characters and parts of characters written out.
  private func piece(_ id: Int32) -> String {
    guard let bytes = tokenizer.bytes(of: id) else { return "<no token>" }
    if tokenizer.isSpecial(id) { return tokenizer.token(of: id) ?? "" }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      return bytes.map { byte in
        let digits = String(byte, radix: 16, uppercase: true)
        return "<0x\(digits.count < 2 ? "0" : "")\(digits)>"
      }.joined()
    }
    return text.unicodeScalars.map { scalar in
      switch scalar {
      case "\n": "\\n"
      case "\t": "\\t"
      case "\r": "\\r"
      default: scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
      }
    }.joined()
  }
}
