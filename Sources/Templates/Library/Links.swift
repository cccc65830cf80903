/// The addresses in a text, as Jinja's `urlize` finds them.
struct Links {
  /// The most code points of an address that are shown.
  let limit: Int?
  /// What stands behind href in a link.
  let attributes: Text
  /// Further schemes that make a link.
  let schemes: [Text]

  /// The text, which is escaped HTML, with its addresses as links.
  func marked(in text: Text) -> Text {
    var out = Text("")
    var word: [Unicode.Scalar] = []
    for scalar in text.scalars {
      if scalar.isSpace {
        out.append(marked(word))
        word = []
        out.append(scalar)
      } else {
        word.append(scalar)
      }
    }
    out.append(marked(word))
    return out
  }

  static func isScheme(_ text: Text) -> Bool {
    let scalars = text.scalars
    guard let colon = scalars.firstIndex(of: ":"), colon >= 2 else { return false }
    return scalars[..<colon].allSatisfy { $0.isWord || ".+-".unicodeScalars.contains($0) }
      && scalars.count - colon <= 3 && scalars[(colon + 1)...].allSatisfy { $0 == "/" }
  }

  private func marked(_ word: [Unicode.Scalar]) -> Text {
    let word = Text(scalars: word)
    var start = 0
    while let opening = (["(", "<", "&lt;"] as [Text]).first(where: { word.bytes[start...].starts(with: $0.bytes) }) {
      start += opening.bytes.count
    }
    let head = Text(bytes: word.bytes[..<start])
    var (middle, tail) = Self.withoutEnd(Text(bytes: word.bytes[start...]))
    // Brackets that belong to the address come back to it.
    for (open, close) in [("(", ")"), ("<", ">"), ("&lt;", "&gt;")] as [(Text, Text)] {
      let count = middle.occurrences(of: open).count
      guard count > middle.occurrences(of: close).count else { continue }
      for end in tail.occurrences(of: close, limit: count).suffix(1) {
        middle.append(Text(bytes: tail.bytes[..<(end + close.bytes.count)]))
        tail = Text(bytes: tail.bytes[(end + close.bytes.count)...])
      }
    }
    return head + link(middle) + tail
  }

  /// What closing brackets and punctuation there is at the end, apart.
  private static func withoutEnd(_ text: Text) -> (middle: Text, tail: Text) {
    var end = text.bytes.count
    while end > 0 {
      if ")>.,".utf8.contains(text.bytes[end - 1]) {
        end -= 1
      } else if text.bytes[..<end].suffix(4).elementsEqual("&gt;".utf8) {
        end -= 4
      } else {
        break
      }
    }
    return (Text(bytes: text.bytes[..<end]), Text(bytes: text.bytes[end...]))
  }

  private func link(_ address: Text) -> Text {
    if WebAddress(address.scalars).isWhole {
      let shown = limit.map { address.count > $0 ? address.slice(0..<max(0, $0)) + "..." : address } ?? address
      let scheme: Text = address.hasPrefix("https://") || address.hasPrefix("http://") ? "" : "https://"
      return "<a href=\"" + scheme + address + "\"" + attributes + ">" + shown + "</a>"
    }
    if address.hasPrefix("mailto:") {
      let mail = Text(bytes: address.bytes.dropFirst(7))
      if Self.isMail(mail) { return "<a href=\"" + address + "\">" + mail + "</a>" }
    }
    if !address.hasPrefix("www."), !address.contains(":"), Self.isMail(address) {
      return "<a href=\"mailto:" + address + "\">" + address + "</a>"
    }
    var address = address
    for scheme in schemes where address != scheme && address.hasPrefix(scheme) {
      address = "<a href=\"" + address + "\"" + attributes + ">" + address + "</a>"
    }
    return address
  }

  private static func isMail(_ text: Text) -> Bool {
    let scalars = text.scalars
    guard let at = scalars.lastIndex(of: "@"), at > 0, let dot = scalars.lastIndex(of: "."), dot > at + 1,
      dot + 1 < scalars.count
    else { return false }
    return scalars[at + 1].isWord && scalars[(dot + 1)...].allSatisfy(\.isWord)
      && scalars[(at + 2)..<dot].allSatisfy { $0.isWord || $0 == "." || $0 == "-" }
  }
}

/// Whether a word is an address of the web: a host with a scheme, with "www." or under one of the old domains; perhaps a
/// port, and a path.
private struct WebAddress {
  private let text: [Unicode.Scalar]

  init(_ text: [Unicode.Scalar]) { self.text = text }

  var isWhole: Bool {
    let schemes = ["https://", "http://"].filter { starts(with: $0, at: 0) }
    let places = schemes.map(\.count) + (starts(with: "www.", at: 0) ? [4] : [])
    if places.contains(where: isHost) { return true }
    let old = ["com", "net", "int", "edu", "gov", "org", "info", "mil"]
    let domains = ends(ofLabels: 2...63, from: 0)
    if domains.contains(where: { at in old.contains { starts(with: $0, at: at) && isRest(at + $0.count) } }) {
      return true
    }
    return schemes.contains { isNumeric($0.count) }
  }

  private func starts(with prefix: String, at start: Int) -> Bool {
    let prefix = Array(prefix.unicodeScalars)
    guard start + prefix.count <= text.count else { return false }
    return zip(text[start...], prefix).allSatisfy { $0 == $1 || $0.properties.lowercaseMapping == String($1) }
  }

  private func end(from start: Int, while isMember: (Unicode.Scalar) -> Bool) -> Int {
    text[start...].firstIndex { !isMember($0) } ?? text.count
  }

  /// Where one label after the other, each with the dot behind it, ends.
  private func ends(ofLabels lengths: ClosedRange<Int>, from start: Int) -> [Int] {
    var ends: [Int] = []
    var position = start
    while true {
      let end = self.end(from: position) { $0.isWord || $0 == "%" || $0 == "-" }
      guard lengths.contains(end - position), end < text.count, text[end] == "." else { return ends }
      position = end + 1
      ends.append(position)
    }
  }

  /// Whether a name with any top domain stands here, and nothing is amiss behind it.
  private func isHost(_ start: Int) -> Bool {
    ([start] + ends(ofLabels: 1...Int.max, from: start)).contains { start in
      let letters = end(from: start) {
        // Without regard to case these four are letters from a to z as well.
        "a"..."z" ~= $0 || "A"..."Z" ~= $0 || "\u{130}\u{131}\u{17F}\u{212A}".unicodeScalars.contains($0)
      }
      if letters >= start + 2, (start + 2...min(letters, start + 63)).contains(where: isRest) { return true }
      guard starts(with: "xn--", at: start) else { return false }
      let coded = end(from: start + 4) { $0.isWord || $0 == "%" }
      return coded >= start + 6 && (start + 6...min(coded, start + 63)).contains(where: isRest)
    }
  }

  /// Whether an address in numbers stands here, of version 4 or, in brackets, 6.
  private func isNumeric(_ start: Int) -> Bool {
    guard start < text.count, text[start] == "[" else {
      var position = start
      for index in 0..<4 {
        if index > 0 {
          guard position < text.count, text[position] == "." else { return false }
          position += 1
        }
        let end = min(self.end(from: position) { $0.isDecimal }, position + 3)
        guard end > position else { return false }
        position = end
      }
      return isRest(position)
    }
    guard let end = text[start...].firstIndex(of: "]") else { return false }
    let groups = text[(start + 1)..<end].split(separator: ":", omittingEmptySubsequences: false)
    guard groups.count > 2, groups.joined().allSatisfy({ isHexadecimal($0) }) else { return false }
    // What follows the first two groups, in six of at most four digits, each with a colon behind it or none.
    let needed = groups.dropFirst(2).dropLast().reduce(0) { $0 + max(1, ($1.count + 3) / 4) }
    return groups.prefix(2).allSatisfy { $0.count <= 4 } && needed + ((groups.last?.count ?? 0) + 3) / 4 <= 6
      && isRest(end + 1)
  }

  private func isHexadecimal(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isDecimal || "abcdefABCDEF".unicodeScalars.contains(scalar)
  }

  /// A port, a path and the like, or nothing, up to the end.
  private func isRest(_ start: Int) -> Bool {
    guard start < text.count else { return true }
    if text[start] == ":" {
      let end = self.end(from: start + 1) { $0.isDecimal }
      return (start + 2...max(start + 2, end)).contains { $0 <= min(end, start + 6) && isPath($0) }
    }
    return isPath(start)
  }

  private func isPath(_ start: Int) -> Bool { start == text.count || "/?#".unicodeScalars.contains(text[start]) }
}
