/// The tokens "<0x00>" to "<0xFF>", which spell what a vocabulary has no token for.
struct ByteFallback: Sendable {
  /// Byte → id, or -1.
  private let ids: [Int32]

  init(_ vocabulary: Vocabulary) {
    ids = (0..<256).map { byte in
      let digits = String(byte, radix: 16, uppercase: true)
      return vocabulary.id(of: "<0x\(byte < 16 ? "0" : "")\(digits)>") ?? -1
    }
  }

  /// Appends the tokens of all bytes of `text`; or nothing, and false, where one is missing.
  func append(_ text: UnsafeBufferPointer<UInt8>, to out: inout [Int32]) -> Bool {
    guard text.allSatisfy({ ids[Int($0)] >= 0 }) else { return false }
    for byte in text { out.append(ids[Int(byte)]) }
    return true
  }
}
