/// "ByteFallback": a token "<0xE4>" is a byte. A run of them is text where it is UTF-8 as a whole, and otherwise one U+FFFD
/// for each: so nothing of a run is settled before it ends.
struct ByteFallbackDecoder: Decoder {
  var isContextFree: Bool { false }

  func bytes(of token: [UInt8]) -> [UInt8] { Self.byte(token).map { [$0] } ?? token }

  func begin() -> any DecoderPass { Pass() }

  /// The byte that a token of this form stands for.
  private static func byte(_ token: [UInt8]) -> UInt8? {
    guard token.count == 6, token.starts(with: "<0x".utf8), token[5] == UInt8(ascii: ">") else { return nil }
    return UInt8(String(decoding: token[3..<5], as: UTF8.self), radix: 16)
  }

  private struct Pass: DecoderPass {
    private var run: [UInt8] = []

    mutating func feed(_ token: [UInt8]) -> [[UInt8]] {
      if let byte = ByteFallbackDecoder.byte(token) {
        run.append(byte)
        return []
      }
      return finish() + [token]
    }

    mutating func finish() -> [[UInt8]] {
      guard !run.isEmpty else { return [] }
      defer { run = [] }
      if String(validating: run, as: UTF8.self) != nil { return [run] }
      return Array(repeating: Array("\u{FFFD}".utf8), count: run.count)
    }
  }
}
