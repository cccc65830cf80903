import Values

/// The first stage: rewrites text before it is cut.
protocol Normalizer: Sendable {
  /// `text` is well-formed UTF-8, and so is the result. `first` is how many bytes at its start stand for the first
  /// character of the whole text as it was given (`FirstCharacter`).
  func normalize(_ text: inout [UInt8], first: inout Int) throws(GRAOError)
}

enum Normalizers {
  static let registry = StageRegistry<any Normalizer>(makers: [
    "BertNormalizer": { description throws(GRAOError) in try BertNormalizer.make(description) },
    "ByteLevel": { _ in CharacterNormalizer.byteLevel },
    "Lowercase": { _ in CharacterNormalizer.lowercase },
    "NFC": { _ in NormalizationForm(isCompatible: false, composes: true) },
    "NFD": { _ in NormalizationForm(isCompatible: false, composes: false) },
    "NFKC": { _ in NormalizationForm(isCompatible: true, composes: true) },
    "NFKD": { _ in NormalizationForm(isCompatible: true, composes: false) },
    "Nmt": { _ in CharacterNormalizer.nmt },
    "Precompiled": { description throws(GRAOError) in try PrecompiledNormalizer(description) },
    "Prepend": { description throws(GRAOError) in
      PrependNormalizer(prefix: Array(try description.string("prepend").utf8))
    },
    "Replace": { description throws(GRAOError) in ReplaceNormalizer(replacement: try Replacement(description)) },
    "Sequence": { description throws(GRAOError) in try NormalizerSequence(description) },
    "Strip": { description throws(GRAOError) in
      StripNormalizer(left: try description.boolean("strip_left"), right: try description.boolean("strip_right"))
    },
    "StripAccents": { _ in CharacterNormalizer.stripAccents },
  ])
}

/// Several normalizers, one after the other.
struct NormalizerSequence: Normalizer {
  private let normalizers: [any Normalizer]

  init(_ normalizers: [any Normalizer]) { self.normalizers = normalizers }

  init(_ description: StageDescription) throws(GRAOError) {
    var normalizers: [any Normalizer] = []
    for stage in try description.stages("normalizers") { normalizers.append(try Normalizers.registry.make(stage)) }
    self.normalizers = normalizers
  }

  func normalize(_ text: inout [UInt8], first: inout Int) throws(GRAOError) {
    for normalizer in normalizers { try normalizer.normalize(&text, first: &first) }
  }
}
