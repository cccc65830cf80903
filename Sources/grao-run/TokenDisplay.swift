import GRAO

/// Tokens for people to look at: pieces in colour, so that the borders between them are seen, and their ids; or, without
/// colour, one token a line.
struct TokenDisplay {
  let tokenizer: Tokenizer
  let coloured: Bool

  private enum Style {
    /// Alternating backgrounds: of ordinary pieces, and of those trained on, which are underlined as well.
    static let plain = ["48;5;24;97", "48;5;60;97"]
    static let trained = ["48;5;28;97;4", "48;5;22;97;4"]
    /// Of the ids, in step with the pieces.
    static let ids = ["38;5;110", "38;5;146"]
    static let trainedIDs = ["38;5;114;4", "38;5;71;4"]
    static let special = "1"
    static let summary = "2"
  }

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
    var list: [String] = []
    for (index, id) in ids.enumerated() {
      let isTrained = trained?[index] == true
      let style = (isTrained ? Style.trained : Style.plain)[index % 2]
      text += styled(piece(id), tokenizer.isSpecial(id) ? "\(style);\(Style.special)" : style)
      if index < ids.count - 1, tokenizer.bytes(of: id)?.last == UInt8(ascii: "\n") { text += "\n" }
      list.append(styled("\(id)", (isTrained ? Style.trainedIDs : Style.ids)[index % 2]))
    }
    let lines = [text, list.joined(separator: " "), styled(summary(ids, trained), Style.summary)]
    return lines.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private func summary(_ ids: [Int32], _ trained: [Bool]?) -> String {
    var parts = ["\(ids.count) token\(ids.count == 1 ? "" : "s")"]
    if let trained { parts.append("\(trained.count { $0 }) trained on (green, underlined)") }
    let bytes = ids.reduce(0) { $0 + (tokenizer.isSpecial($1) ? 0 : tokenizer.bytes(of: $1)?.count ?? 0) }
    parts.append("\(bytes) byte\(bytes == 1 ? "" : "s") of text")
    return parts.joined(separator: ", ")
  }

  private func styled(_ text: String, _ style: String) -> String {
    text.isEmpty ? "" : "\u{1B}[\(style)m\(text)\u{1B}[0m"
  }

  /// What a token adds to a text. Parts of characters, and whatever a terminal would not show or would obey, are written
  /// out.
  private func piece(_ id: Int32) -> String {
    if tokenizer.isSpecial(id) { return Self.visible(tokenizer.token(of: id) ?? "") }
    guard let bytes = tokenizer.bytes(of: id) else { return "<no token>" }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      return bytes.map { byte in
        byte < 0x80
          ? Self.visible(String(Unicode.Scalar(byte))) : "<0x\(Self.hexadecimal(UInt32(byte), digits: 2))>"
      }.joined()
    }
    return Self.visible(text)
  }

  private static func visible(_ text: String) -> String {
    var shown = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control where scalar == "\n": shown += "↵"
      case .control where scalar == "\t": shown += "⇥"
      case .control where scalar.value < 0x20:
        // The picture of it: ␛ for escape.
        shown.unicodeScalars.append(Unicode.Scalar(0x2400 + scalar.value) ?? "?")
      case .format where scalar == "\u{200D}" && !shown.isEmpty: shown.unicodeScalars.append(scalar)
      case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
        shown += "<U+\(hexadecimal(scalar.value, digits: 4))>"
      case .nonspacingMark where shown.isEmpty, .enclosingMark where shown.isEmpty, .spacingMark where shown.isEmpty:
        // On a circle of its own, not on the piece before it.
        shown.unicodeScalars += ["\u{25CC}", scalar]
      default: shown.unicodeScalars.append(scalar)
      }
    }
    return shown
  }

  private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
