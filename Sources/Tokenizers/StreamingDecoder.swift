/// Decodes tokens as they arrive. Text comes out as soon as it is settled: half a character is never shown, and all that
/// came out is at every moment a prefix of what `Tokenizer.decode` makes of the tokens so far and of any that follow.
public struct StreamingDecoder {
  private var pass: Tokenizer.DecodingPass
  private var bytes: [UInt8] = []

  /// For one completion.
  public init(_ tokenizer: Tokenizer, skipSpecialTokens: Bool = true) {
    pass = Tokenizer.DecodingPass(tokenizer, skipSpecialTokens: skipSpecialTokens)
  }

  /// The text that `id` settles, perhaps none.
  public mutating func feed(_ id: Int32) -> String {
    pass.feed(id, to: &bytes)
    let count = UTF8Text.completePrefix(of: bytes)
    defer { bytes.removeFirst(count) }
    return String(decoding: bytes[..<count], as: UTF8.self)
  }

  /// What the tokens so far have besides all that `feed` gave, should no more follow: U+FFFD where they end inside a
  /// character, and what a decoder holds back, as a run of byte tokens, which later ones could make invalid.
  public var held: String {
    var copy = self
    return copy.finish()
  }

  /// What is left at the end of the tokens.
  public mutating func finish() -> String {
    pass.finish(to: &bytes)
    defer { bytes = [] }
    return String(decoding: bytes, as: UTF8.self)
  }
}
