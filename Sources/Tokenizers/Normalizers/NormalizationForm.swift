/// "NFC", "NFD", "NFKC" and "NFKD": Unicode's four normalization forms.
struct NormalizationForm: Normalizer {
  let isCompatible: Bool
  let composes: Bool

  private var inert: Normalization.Inert {
    switch (isCompatible, composes) {
    case (false, true): .composed
    case (false, false): .decomposed
    case (true, true): .compatiblyComposed
    case (true, false): .compatiblyDecomposed
    }
  }

  func normalize(_ text: inout [UInt8], first: inout Int) {
    // Every form leaves ASCII as it is.
    guard text.contains(where: { $0 >= 0x80 }) else { return }
    text = text.withUnsafeBufferPointer { text in
      var tracker = FirstCharacter(text, count: first)
      defer { first = tracker.written }
      return normalized(text, inert, &tracker)
    }
  }

  private func normalized(
    _ text: UnsafeBufferPointer<UInt8>, _ inert: Normalization.Inert, _ first: inout FirstCharacter
  ) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    // What is not in `out` yet starts here, and the last inert character here.
    var rest = 0
    var boundary = 0
    var position = 0
    while position < text.count {
      let scalar = UTF8Text.scalar(in: text, at: position)
      if inert.contains(scalar.value) {
        boundary = position
        position += scalar.length
        continue
      }
      var end = position
      while end < text.count {
        let next = UTF8Text.scalar(in: text, at: end)
        if inert.contains(next.value) { break }
        end += next.length
      }
      out += text[rest..<boundary]
      first.keep(to: boundary)
      let scalars = String(decoding: UnsafeBufferPointer(rebasing: text[boundary..<end]), as: UTF8.self).unicodeScalars
      for (value, change) in Normalization.normalize(scalars, isCompatible: isCompatible, composes: composes) {
        out.append(scalar: value)
        if !first.isOver { first.put(value, change: change) }
      }
      rest = end
      boundary = end
      position = end
    }
    first.keep(to: text.count)
    return out + text[rest...]
  }
}
