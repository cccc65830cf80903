import Values

/// The second stage: cuts text into the words that the model takes one by one.
protocol PreTokenizer: Sendable {
  func cut(_ pieces: inout Pieces) throws(GRAOError)
}

enum PreTokenizers {
  static let registry = StageRegistry<any PreTokenizer>(makers: [
    "ByteLevel": { description throws(GRAOError) in try ByteLevelPreTokenizer(description) },
    "Digits": { description throws(GRAOError) in try DigitsPreTokenizer(description) },
    "Sequence": { description throws(GRAOError) in try PreTokenizerSequence(description) },
    "Split": { description throws(GRAOError) in try SplitPreTokenizer(description) },
  ])
}

/// Several pre-tokenizers, each cutting the pieces of the one before.
struct PreTokenizerSequence: PreTokenizer {
  private let preTokenizers: [any PreTokenizer]

  init(_ description: StageDescription) throws(GRAOError) {
    var preTokenizers: [any PreTokenizer] = []
    for stage in try description.stages("pretokenizers") {
      preTokenizers.append(try PreTokenizers.registry.make(stage))
    }
    self.preTokenizers = preTokenizers
  }

  func cut(_ pieces: inout Pieces) throws(GRAOError) {
    for preTokenizer in preTokenizers { try preTokenizer.cut(&pieces) }
  }
}
