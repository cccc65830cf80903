/// "Metaspace": every replacement character is a space; those of the first token fall away where one was put before the
/// text.
struct MetaspaceDecoder: Decoder {
  private let mark: [UInt8]
  private let dropsFirst: Bool

  init(_ metaspace: Metaspace) {
    mark = Array(metaspace.replacement.utf8)
    dropsFirst = metaspace.scheme != .never
  }

  var isContextFree: Bool { !dropsFirst }

  func bytes(of token: [UInt8]) -> [UInt8] { token.replacing(mark, with: [UInt8(ascii: " ")]) }

  func begin() -> any DecoderPass { Pass(decoder: self, isFirst: dropsFirst) }

  private struct Pass: DecoderPass {
    let decoder: MetaspaceDecoder
    var isFirst: Bool

    mutating func feed(_ token: [UInt8]) -> [[UInt8]] {
      defer { isFirst = false }
      return [isFirst ? token.replacing(decoder.mark, with: []) : decoder.bytes(of: token)]
    }

    mutating func finish() -> [[UInt8]] { [] }
  }
}
