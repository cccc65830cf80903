import Values

/// "BPEDecoder": the suffix that ends a word is a space, and nothing at the end of the text.
struct SuffixDecoder: Decoder {
  private let suffix: [UInt8]

  init(_ description: StageDescription) throws(GRAOError) { suffix = Array(try description.string("suffix").utf8) }

  var isContextFree: Bool { false }

  func bytes(of token: [UInt8]) -> [UInt8] { token.replacing(suffix, with: [UInt8(ascii: " ")]) }

  func begin() -> any DecoderPass { Pass(decoder: self) }

  private struct Pass: DecoderPass {
    let decoder: SuffixDecoder
    /// The last token so far.
    var last: [UInt8]?

    mutating func feed(_ token: [UInt8]) -> [[UInt8]] {
      defer { last = token }
      return last.map { [decoder.bytes(of: $0)] } ?? []
    }

    mutating func finish() -> [[UInt8]] {
      defer { last = nil }
      return last.map { [$0.replacing(decoder.suffix, with: [])] } ?? []
    }
  }
}
