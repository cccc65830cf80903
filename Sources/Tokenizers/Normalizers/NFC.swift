/// "NFC": canonical composition.
struct NFC: Normalizer {
  func normalize(_ text: inout [UInt8]) {
    // Every character below U+0300 (a lead byte below 0xCC) is in composed form already, and stays so beside its like.
    guard text.contains(where: { $0 >= 0xCC }) else { return }
    let composed = CanonicalComposition.compose(String(decoding: text, as: UTF8.self).unicodeScalars)
    text.removeAll(keepingCapacity: true)
    for value in composed {
      guard let scalar = Unicode.Scalar(value) else { continue }
      text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }
  }
}
