import Values

/// "WordPiece": a token with the prefix continues the word before it, every other starts a new one; `cleanup` takes the
/// spaces before English punctuation and contractions away again.
struct WordPieceDecoder: Decoder {
  private let prefix: [UInt8]
  private let cleansUp: Bool

  init(_ description: StageDescription) throws(GRAOError) {
    prefix = Array(try description.string("prefix").utf8)
    cleansUp = try description.boolean("cleanup")
  }

  var isContextFree: Bool { false }

  func bytes(of token: [UInt8]) -> [UInt8] {
    cleaned(token.starts(with: prefix) ? Array(token.dropFirst(prefix.count)) : [UInt8(ascii: " ")] + token)
  }

  func begin() -> any DecoderPass { Pass(decoder: self) }

  private static let cleanups = [
    (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
    (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
  ].map { (Array($0.utf8), Array($1.utf8)) }

  private func cleaned(_ token: [UInt8]) -> [UInt8] {
    cleansUp ? Self.cleanups.reduce(token) { $0.replacing($1.0, with: $1.1) } : token
  }

  private struct Pass: DecoderPass {
    let decoder: WordPieceDecoder
    var isFirst = true

    mutating func feed(_ token: [UInt8]) -> [[UInt8]] {
      defer { isFirst = false }
      return [isFirst ? decoder.cleaned(token) : decoder.bytes(of: token)]
    }

    mutating func finish() -> [[UInt8]] { [] }
  }
}
