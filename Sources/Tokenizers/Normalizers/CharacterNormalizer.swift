/// Rewrites text character by character.
struct CharacterNormalizer: Normalizer {
  /// Appends what a character becomes.
  let rewrite: @Sendable (UInt32, inout [UInt8]) -> Void

  func normalize(_ text: inout [UInt8], first: inout Int) {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    // What a character becomes belongs to it alone.
    var written = 0
    text.withUnsafeBufferPointer { text in
      var position = 0
      while position < text.count {
        let scalar = UTF8Text.scalar(in: text, at: position)
        rewrite(scalar.value, &out)
        if position < first { written = out.count }
        position += scalar.length
      }
    }
    text = out
    first = written
  }

  /// "Lowercase": each character by itself, whatever its neighbours.
  static let lowercase = CharacterNormalizer { value, out in
    if value < 0x80 {
      out.append(UInt8((0x41...0x5A).contains(value) ? value + 0x20 : value))
    } else if let scalar = Unicode.Scalar(value), scalar.properties.changesWhenLowercased {
      out += scalar.properties.lowercaseMapping.utf8
    } else {
      out.append(scalar: value)
    }
  }

  /// "StripAccents": takes combining marks away.
  static let stripAccents = CharacterNormalizer { value, out in
    if !Normalization.isMark(value) { out.append(scalar: value) }
  }

  /// "Nmt": control characters fall away, and unusual white space becomes spaces.
  static let nmt = CharacterNormalizer { value, out in
    switch value {
    case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: break
    case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
      out.append(UInt8(ascii: " "))
    default: out.append(scalar: value)
    }
  }

  /// "ByteLevel": spells every byte in `ByteAlphabet`.
  static let byteLevel = CharacterNormalizer { value, out in
    var utf8: [UInt8] = []
    utf8.append(scalar: value)
    utf8.withUnsafeBufferPointer { ByteAlphabet.spell($0, to: &out) }
  }
}

extension [UInt8] {
  /// Appends the UTF-8 of a scalar value; of a number that is none, nothing.
  mutating func append(scalar value: UInt32) {
    guard value >= 0x80 else { return append(UInt8(value)) }
    if let scalar = Unicode.Scalar(value) {
      append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }
  }
}
