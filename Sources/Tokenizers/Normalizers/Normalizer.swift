import Values

/// The first stage: rewrites text before it is cut.
protocol Normalizer: Sendable {
  /// `text` is well-formed UTF-8, and so is the result.
  func normalize(_ text: inout [UInt8])
}

enum Normalizers {
  static let registry = StageRegistry<any Normalizer>(makers: [
    "NFC": { _ in NFC() },
    "Sequence": { description throws(GRAOError) in try NormalizerSequence(description) },
  ])
}

/// Several normalizers, one after the other.
struct NormalizerSequence: Normalizer {
  private let normalizers: [any Normalizer]

  init(_ description: StageDescription) throws(GRAOError) {
    var normalizers: [any Normalizer] = []
    for stage in try description.stages("normalizers") { normalizers.append(try Normalizers.registry.make(stage)) }
    self.normalizers = normalizers
  }

  func normalize(_ text: inout [UInt8]) {
    for normalizer in normalizers { normalizer.normalize(&text) }
  }
}
