import Values

/// "BertNormalizer": the parts that are asked for, in BERT's order.
enum BertNormalizer {
  static func make(_ description: StageDescription) throws(GRAOError) -> any Normalizer {
    var parts: [any Normalizer] = []
    if try description.boolean("clean_text") { parts.append(clean) }
    if try description.boolean("handle_chinese_chars") { parts.append(spaceIdeographs) }
    let lowercases = try description.boolean("lowercase")
    if try description.boolean("strip_accents", default: lowercases) {
      parts.append(NormalizationForm(isCompatible: false, composes: false))
      parts.append(stripMarks)
    }
    if lowercases { parts.append(CharacterNormalizer.lowercase) }
    return NormalizerSequence(parts)
  }

  /// Takes control characters away, and makes every white space a space.
  private static let clean = CharacterNormalizer { value, out in
    switch value {
    case 0x20...0x7E: out.append(UInt8(value))
    case 0x09, 0x0A, 0x0D: out.append(UInt8(ascii: " "))
    case 0, 0xFFFD: break
    default:
      if UnicodeEight.isOther(value) { return }
      if UTF8Text.isWhitespace(value) { out.append(UInt8(ascii: " ")) } else { out.append(scalar: value) }
    }
  }

  private static let spaceIdeographs = CharacterNormalizer { value, out in
    // The bounds are HF's, slips included.
    switch value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F, 0x2B920...0x2CEAF,
      0xF900...0xFAFF, 0x2F800...0x2FA1F:
      out.append(UInt8(ascii: " "))
      out.append(scalar: value)
      out.append(UInt8(ascii: " "))
    default: out.append(scalar: value)
    }
  }

  private static let stripMarks = CharacterNormalizer { value, out in
    if !UnicodeEight.isNonspacingMark(value) { out.append(scalar: value) }
  }
}
