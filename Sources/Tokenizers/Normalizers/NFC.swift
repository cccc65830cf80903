import Foundation

/// Canonical composition as of Unicode 9, the version of the tables in HF tokenizers: characters of a later version stay
/// as they are, and nothing composes or is reordered across them.
struct NFC: Normalizer {
  private static let version: Unicode.Version = (9, 0)

  func normalize(_ text: inout [UInt8]) {
    // Every character below U+0300 (a lead byte below 0xCC) is in composed form already, and stays so beside its like.
    guard text.contains(where: { $0 >= 0xCC }) else { return }
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    text.withUnsafeBufferPointer { text in
      var start = 0
      var position = 0
      func compose() {
        guard position > start else { return }
        let part = String(decoding: UnsafeBufferPointer(rebasing: text[start..<position]), as: UTF8.self)
        out.append(contentsOf: part.precomposedStringWithCanonicalMapping.utf8)
      }
      while position < text.count {
        let scalar = UTF8Text.scalar(in: text, at: position)
        if scalar.value >= 0x300, let age = Unicode.Scalar(scalar.value)?.properties.age, age > Self.version {
          compose()
          out.append(contentsOf: text[position..<position + scalar.length])
          start = position + scalar.length
        }
        position += scalar.length
      }
      compose()
    }
    text = out
  }
}
