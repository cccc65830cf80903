/// What the assistant says in one turn, and where it stands. Texts are UTF-8.
struct Turn {
  /// The conversation up to this turn.
  var rendered: [UInt8]
  /// Where the turn begins in it.
  var start: Int
  /// Without the token that ends it.
  var said: [UInt8]
  /// The token that ends it; empty where the template writes none.
  var closing: [UInt8] = []

  /// What stands before the turn.
  var before: ArraySlice<UInt8> { rendered[..<start] }

  /// How much of `text`, which goes on behind what stood before the turn, is this turn: with the token that ends it where
  /// it ends alike, and without an empty thought at its beginning that the text leaves out. Nil where the text shows
  /// anything else.
  func length(in text: ArraySlice<UInt8>) -> Int? {
    for dropped in EmptyThought.beginnings(of: said[...]) {
      let shown = said[dropped...]
      guard text.starts(with: shown) else { continue }
      return shown.count + (text.dropFirst(shown.count).starts(with: closing) ? closing.count : 0)
    }
    return nil
  }
}

/// Marks such as <think> with nothing but white space among them: templates write them where a turn has no thoughts, and
/// leave them out of earlier turns.
enum EmptyThought {
  /// The lengths of the beginnings of a text that are empty thoughts, 0 first.
  static func beginnings(of text: ArraySlice<UInt8>) -> [Int] {
    var ends = [0]
    var place = text.startIndex
    while place < text.endIndex {
      if text[place] == UInt8(ascii: "<") {
        let rest = text[(place + 1)...]
        guard let end = rest.firstIndex(where: { isBorder($0) }), text[end] == UInt8(ascii: ">") else { break }
        place = end
      } else if !isSpace(text[place]) {
        break
      }
      place += 1
      ends.append(place - text.startIndex)
    }
    return ends
  }

  /// Where `text` begins with `beginning`, or with all of it but an empty thought at its end: the place behind that.
  static func end(of beginning: ArraySlice<UInt8>, in text: [UInt8]) -> Int? {
    let count = zip(beginning, text).prefix { $0 == $1 }.count
    let rest = beginning.dropFirst(count)
    return beginnings(of: rest).last == rest.count ? count : nil
  }

  private static func isBorder(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "\n")
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || (9...13).contains(byte) }
}
