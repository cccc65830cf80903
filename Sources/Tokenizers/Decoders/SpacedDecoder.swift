/// What HF does where a tokenizer.json has no decoder: the tokens with a space between each two.
struct SpacedDecoder: Decoder {
  var isContextFree: Bool { false }

  func bytes(of token: [UInt8]) -> [UInt8] { [UInt8(ascii: " ")] + token }

  func begin() -> any DecoderPass { Pass(decoder: self) }

  private struct Pass: DecoderPass {
    let decoder: SpacedDecoder
    var isFirst = true

    mutating func feed(_ token: [UInt8]) -> [[UInt8]] {
      defer { isFirst = false }
      return [isFirst ? token : decoder.bytes(of: token)]
    }

    mutating func finish() -> [[UInt8]] { [] }
  }
}
