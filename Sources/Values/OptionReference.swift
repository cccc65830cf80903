/// Options as a page for people: the same declarations that validation reads.
extension OptionSchema {
  /// A Markdown table: one row for each option, nested ones with their path.
  public var markdownTable: String {
    let head = "| option | type | default | what |\n|---|---|---|---|\n"
    return head + rows(prefix: "").map { "| \($0.joined(separator: " | ")) |\n" }.joined()
  }

  private func rows(prefix: String) -> [[String]] {
    declarations.flatMap { declaration -> [[String]] in
      let path = prefix + declaration.name
      let row = ["`\(path)`", declaration.typeWords, declaration.defaultWords, escape(declaration.description)]
      guard case .nested(let schema) = declaration.type else { return [row] }
      return [row] + schema.rows(prefix: path + ".")
    }
  }
}

extension OptionDeclaration {
  fileprivate var typeWords: String {
    if !choices.isEmpty { return choices.map(code).joined(separator: ", ") }
    let words = escape(type.words)
    switch (minimum, maximum) {
    case (let low?, let high?): return "\(words), \(plain(low)) to \(plain(high))"
    case (let low?, nil): return "\(words), at least \(plain(low))"
    case (nil, let high?): return "\(words), at most \(plain(high))"
    default: return words
    }
  }

  fileprivate var defaultWords: String {
    if required { return "required" }
    switch self.default {
    case nil: return ""
    case .table(let table)? where table.isEmpty: return "`{}`"
    case let value?: return code(value)
    }
  }
}

private func code(_ value: Value) -> String { "`\((try? JSON.print(value)) ?? value.kind)`" }
private func escape(_ text: String) -> String { text.replacing("|", with: "\\|") }
