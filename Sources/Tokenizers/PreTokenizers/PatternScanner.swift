/// A published pattern as code: finds what the regular expression finds, many times as fast.
protocol PatternScanner {
  /// Where the pattern's match that starts at `position`, which is before the end, ends; nil where none does.
  func endOfMatch(in text: ClassifiedText, at position: Int) -> Int?
}

extension PatternScanner {
  /// Appends all matches in order, without overlap.
  @inline(__always)
  func appendMatches(in text: UnsafeBufferPointer<UInt8>, to found: inout [Range<Int>]) {
    CharacterClasses.classified(text) { text in
      var position = 0
      while position < text.bytes.count {
        if let end = endOfMatch(in: text, at: position) {
          found.append(position..<end)
          position = end
        } else {
          position = text.character(at: position).end
        }
      }
    }
  }
}

extension ClassifiedText {
  /// `\s+(?!\S)|\s+`, and before them `\s*[\r\n]+` where `splitsNewlines`, at white space: a run of it up to the last
  /// newline, or else all but its last character, which goes with what follows.
  @inline(__always)
  fileprivate func endOfSpace(at position: Int, splitsNewlines: Bool) -> Int {
    var end = position
    var last = position
    var afterNewline = position
    while true {
      let next = character(at: end)
      guard CharacterClass.space.has(next.kind) else { break }
      last = end
      end = next.end
      if next.kind == .newline { afterNewline = end }
    }
    if splitsNewlines, afterNewline > position { return afterNewline }
    return end == bytes.count || last == position ? end : last
  }

  /// `'s|'t|'re|'ve|'m|'ll|'d`, also in upper case where `ignoresCase`, at an apostrophe.
  @inline(__always)
  fileprivate func endOfContraction(at position: Int, ignoresCase: Bool) -> Int? {
    let fold: UInt8 = ignoresCase ? 0x20 : 0
    // U+017F, the long s, is an s without regard to case.
    if ignoresCase, byte(at: position + 1) == 0xC5, byte(at: position + 2) == 0xBF { return position + 3 }
    switch byte(at: position + 1) | fold {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return position + 2
    case UInt8(ascii: "r"), UInt8(ascii: "v"):
      return byte(at: position + 2) | fold == UInt8(ascii: "e") ? position + 3 : nil
    case UInt8(ascii: "l"): return byte(at: position + 2) | fold == UInt8(ascii: "l") ? position + 3 : nil
    default: return nil
    }
  }
}

extension ClassifiedText {
  /// `\p{N}{0,count}`
  @inline(__always)
  fileprivate func endOfDigits(from position: Int, atMost count: Int) -> Int {
    var end = position
    for _ in 0..<count {
      let next = character(at: end)
      guard next.kind == .number else { break }
      end = next.end
    }
    return end
  }
}

/// GPT-2's, that of "ByteLevel".
struct GPT2Scanner: PatternScanner {
  static let pattern = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  @inline(__always)
  func endOfMatch(in text: ClassifiedText, at position: Int) -> Int? {
    let first = text.byte(at: position)
    if first == UInt8(ascii: "'"), let end = text.endOfContraction(at: position, ignoresCase: false) { return end }
    let start = first == UInt8(ascii: " ") ? position + 1 : position
    let (kind, end) = text.character(at: start)
    if CharacterClass.letter.has(kind) { return text.endOfRun(.letter, from: end) }
    switch kind {
    case .number: return text.endOfRun(.number, from: end)
    case .newline, .blank, []: return text.endOfSpace(at: position, splitsNewlines: false)
    default: return text.endOfRun(.all.subtracting([.space, .letter, .number]), from: end)
    }
  }
}

/// GPT-4's (cl100k_base), also that of Llama 3 and, with numbers digit by digit, of Qwen2; Qwen3.5 takes marks for letters.
struct GPT4Scanner: PatternScanner {
  /// The most digits that stay together.
  let digits: Int
  /// What words are of.
  private let word: CharacterClass

  init(digits: Int, marksAreLetters: Bool = false) {
    self.digits = digits
    word = marksAreLetters ? [.letter, .mark] : .letter
  }

  static func pattern(digits: String, marksAreLetters: Bool = false) -> String {
    let word = marksAreLetters ? #"[\p{L}\p{M}]"# : #"\p{L}"#
    let marks = marksAreLetters ? #"\p{M}"# : ""
    return #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?"# + word + #"+|\p{N}"# + digits
      + #"| ?[^\s\p{L}"# + marks + #"\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  }

  @inline(__always)
  func endOfMatch(in text: ClassifiedText, at position: Int) -> Int? {
    let (kind, end) = text.character(at: position)
    if word.has(kind) { return text.endOfRun(word, from: end) }
    if kind == .number { return text.endOfDigits(from: end, atMost: digits - 1) }
    let first = text.byte(at: position)
    if first == UInt8(ascii: "'"), let end = text.endOfContraction(at: position, ignoresCase: true) { return end }
    let next = text.character(at: end)
    if kind != .newline, word.has(next.kind) { return text.endOfRun(word, from: next.end) }
    let rest = CharacterClass.all.subtracting([.space, .number]).subtracting(word)
    if rest.has(kind) || first == UInt8(ascii: " ") && rest.has(next.kind) {
      return text.endOfRun(.newline, from: text.endOfRun(rest, from: end))
    }
    return text.endOfSpace(at: position, splitsNewlines: true)
  }
}

/// GPT-4o's (o200k_base), also that of gpt-oss, and Tekken's: words are cut where lower case turns to upper.
struct CasedScanner: PatternScanner {
  /// The most digits that stay together.
  let digits: Int
  /// Whether a contraction ends the word before it.
  let keepsContractions: Bool

  static func pattern(digits: String, keepsContractions: Bool) -> String {
    let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
    let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
    let lead = #"[^\r\n\p{L}\p{N}]?"#
    let end = keepsContractions ? "(?i:'s|'t|'re|'ve|'m|'ll|'d)?" : ""
    return "\(lead)\(upper)*\(lower)+\(end)|\(lead)\(upper)+\(lower)*\(end)|\\p{N}\(digits)"
      + #"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  }

  private static let upper: CharacterClass = [.upper, .caseless, .mark]
  private static let lower: CharacterClass = [.lower, .caseless, .mark]

  /// A word from `position` on: where `upper*lower+` ends, if it matches there, and where `upper*` does. The former gives
  /// back what it took as upper case, as far as it must to end in a character that may be lower case.
  @inline(__always)
  private func word(in text: ClassifiedText, from position: Int) -> (end: Int?, endOfUpper: Int) {
    var endOfUpper = position
    var lastBoth: Int?
    while true {
      let next = text.character(at: endOfUpper)
      guard Self.upper.has(next.kind) else {
        return (next.kind == .lower ? text.endOfRun(Self.lower, from: next.end) : lastBoth, endOfUpper)
      }
      endOfUpper = next.end
      if next.kind != .upper { lastBoth = endOfUpper }
    }
  }

  @inline(__always)
  private func endOfWord(in text: ClassifiedText, at position: Int) -> Int {
    guard keepsContractions, text.byte(at: position) == UInt8(ascii: "'") else { return position }
    return text.endOfContraction(at: position, ignoresCase: true) ?? position
  }

  @inline(__always)
  func endOfMatch(in text: ClassifiedText, at position: Int) -> Int? {
    let (kind, end) = text.character(at: position)
    if CharacterClass.letter.has(kind) {
      let word = word(in: text, from: position)
      return endOfWord(in: text, at: word.end ?? word.endOfUpper)
    }
    if kind == .number { return text.endOfDigits(from: end, atMost: digits - 1) }
    if kind == .newline { return text.endOfSpace(at: position, splitsNewlines: true) }
    // Anything else may stand before a word; a mark may be one by itself.
    let word = word(in: text, from: end)
    if let end = word.end ?? (kind == .mark ? end : nil) { return endOfWord(in: text, at: end) }
    if word.endOfUpper > end { return endOfWord(in: text, at: word.endOfUpper) }
    let rest = CharacterClass.all.subtracting([.space, .letter, .number])
    if rest.has(kind) || text.byte(at: position) == UInt8(ascii: " ") && rest.has(text.character(at: end).kind) {
      var end = text.endOfRun(rest, from: end)
      while true {
        switch text.byte(at: end) {
        case UInt8(ascii: "/"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): end += 1
        default: return end
        }
      }
    }
    return text.endOfSpace(at: position, splitsNewlines: true)
  }
}

/// The last of DeepSeek-V3's three.
struct DeepSeekScanner: PatternScanner {
  static let pattern =
    ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##
    + #"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  @inline(__always)
  func endOfMatch(in text: ClassifiedText, at position: Int) -> Int? {
    let (kind, end) = text.character(at: position)
    let word: CharacterClass = [.letter, .mark]
    if word.has(kind) { return text.endOfRun(word, from: end) }
    let next = text.character(at: end)
    let signs: CharacterClass = [.punctuation, .symbol]
    if signs.has(kind) {
      // All signs of ASCII are in the pattern's first class.
      if text.byte(at: position) < 0x80, CharacterClass.letter.has(next.kind), text.byte(at: end) < 0x80 {
        var end = next.end
        while UInt8(ascii: "a")...UInt8(ascii: "z") ~= text.byte(at: end) | 0x20 { end += 1 }
        return end
      }
      return text.endOfRun(.newline, from: text.endOfRun(signs, from: end))
    }
    if kind != .newline, word.has(next.kind) { return text.endOfRun(word, from: next.end) }
    if text.byte(at: position) == UInt8(ascii: " "), signs.has(next.kind) {
      return text.endOfRun(.newline, from: text.endOfRun(signs, from: next.end))
    }
    return CharacterClass.space.has(kind) ? text.endOfSpace(at: position, splitsNewlines: true) : nil
  }
}
