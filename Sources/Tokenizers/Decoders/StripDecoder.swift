import Values

/// "Strip": takes up to `start` and `stop` times one character off the two ends of every token.
struct StripDecoder: Decoder {
  fileprivate let content: [UInt8]
  fileprivate let start: Int
  fileprivate let stop: Int

  init(_ description: StageDescription) throws(GRAOError) {
    let content = try description.string("content")
    guard content.unicodeScalars.count == 1 else {
      throw GRAOError("\(description.path).content: expected one character, found '\(content)'")
    }
    self.content = Array(content.utf8)
    start = try description.count("start")
    stop = try description.count("stop")
  }

  func bytes(of token: [UInt8]) -> [UInt8] {
    var rest = token[...]
    var left = start
    while left > 0, rest.starts(with: content) {
      rest.removeFirst(content.count)
      left -= 1
    }
    return Array(trimmedAtEnd(rest))
  }

  fileprivate func trimmedAtEnd(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var rest = text
    var left = stop
    while left > 0, rest.suffix(content.count).elementsEqual(content) {
      rest.removeLast(content.count)
      left -= 1
    }
    return rest
  }
}

/// `StripDecoder` where all tokens are one: at the two ends of the text.
struct JoinedStripDecoder: Decoder {
  private let strip: StripDecoder

  init(_ strip: StripDecoder) { self.strip = strip }

  var joinsTokens: Bool { true }
  var isContextFree: Bool { false }
  func bytes(of token: [UInt8]) -> [UInt8] { token }
  func begin() -> any DecoderPass { Pass(strip: strip, atStart: strip.start) }

  private struct Pass: DecoderPass {
    let strip: StripDecoder
    /// How many more may fall away at the start of the text.
    var atStart: Int
    /// The last of the text so far, which may fall away at its end.
    var held: [UInt8] = []

    mutating func feed(_ token: [UInt8]) -> [[UInt8]] {
      held += token
      let content = strip.content
      while atStart > 0, held.starts(with: content) {
        held.removeFirst(content.count)
        atStart -= 1
      }
      // The start of the text is over at its first other byte.
      if held.count >= content.count { atStart = 0 }
      guard atStart == 0 else { return [] }
      let settled = Array(strip.trimmedAtEnd(held[...]))
      held.removeFirst(settled.count)
      return [settled]
    }

    mutating func finish() -> [[UInt8]] {
      defer { held = [] }
      return [Array(strip.trimmedAtEnd(held[...]))]
    }
  }
}
