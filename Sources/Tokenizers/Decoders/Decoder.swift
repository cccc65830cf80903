import Values

/// The way back: what a token adds to the text.
protocol Decoder: Sendable {
  /// The bytes of one token, given its text as UTF-8; a character may be spread over several tokens.
  /// - Parameter isFirst: whether the text starts with this token.
  func bytes(of token: some Collection<UInt8>, isFirst: Bool) -> [UInt8]
}

enum Decoders {
  static let registry = StageRegistry<any Decoder>(makers: [
    "ByteLevel": { _ in ByteLevelDecoder() }
  ])
}

/// "ByteLevel": reads `ByteAlphabet`; a token with a character outside of it stands for itself.
struct ByteLevelDecoder: Decoder {
  func bytes(of token: some Collection<UInt8>, isFirst: Bool) -> [UInt8] {
    ByteAlphabet.bytes(of: token) ?? Array(token)
  }
}

/// What HF does where a tokenizer.json has no decoder: the tokens with a space between each two.
struct SpacedDecoder: Decoder {
  func bytes(of token: some Collection<UInt8>, isFirst: Bool) -> [UInt8] {
    isFirst ? Array(token) : [UInt8(ascii: " ")] + token
  }
}
