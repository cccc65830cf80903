/// "NFC", "NFD", "NFKC" and "NFKD": Unicode's four normalization forms.
struct NormalizationForm: Normalizer {
  let isCompatible: Bool
  let composes: Bool

  func normalize(_ text: inout [UInt8]) {
    // What the form leaves as it is: every character below U+0300 (a lead byte below 0xCC) is in composed form already,
    // and stays so beside its like.
    let bound: UInt8 = composes && !isCompatible ? 0xCC : 0x80
    guard text.contains(where: { $0 >= bound }) else { return }
    let scalars = String(decoding: text, as: UTF8.self).unicodeScalars
    text.removeAll(keepingCapacity: true)
    for value in Normalization.normalize(scalars, isCompatible: isCompatible, composes: composes) {
      text.append(scalar: value)
    }
  }
}
