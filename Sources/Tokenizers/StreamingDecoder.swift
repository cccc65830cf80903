/// Decodes tokens as they arrive. Text comes out as soon as its characters are whole: half a character is never shown,
/// and all that came out is at every moment a prefix of what `Tokenizer.decode` makes of the tokens so far.
public struct StreamingDecoder {
  private let tokenizer: Tokenizer
  private let skipSpecialTokens: Bool
  private var pending: [UInt8] = []
  private var isFirst = true

  public init(_ tokenizer: Tokenizer, skipSpecialTokens: Bool = true) {
    self.tokenizer = tokenizer
    self.skipSpecialTokens = skipSpecialTokens
  }

  /// The text that `id` completes, perhaps none.
  public mutating func feed(_ id: Int32) -> String {
    tokenizer.append(id, isFirst: &isFirst, skipSpecialTokens: skipSpecialTokens, to: &pending)
    let count = UTF8Text.completePrefix(of: pending)
    defer { pending.removeFirst(count) }
    return String(decoding: pending[..<count], as: UTF8.self)
  }

  /// What is left at the end of the tokens: U+FFFD where they end inside a character, else nothing.
  public mutating func finish() -> String {
    defer { pending = [] }
    return String(decoding: pending, as: UTF8.self)
  }
}
