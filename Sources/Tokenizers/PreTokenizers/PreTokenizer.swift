import Values

/// The second stage: cuts text into the words that the model takes one by one.
protocol PreTokenizer: Sendable {
  func cut(_ pieces: inout Pieces) throws(GRAOError)
}

enum PreTokenizers {
  static let registry = StageRegistry<any PreTokenizer>(makers: [
    "BertPreTokenizer": { _ in
      let punctuation = CharacterPreTokenizer(behavior: .isolated, isDelimiter: UnicodeEight.isPunctuation)
      return PreTokenizerSequence([CharacterPreTokenizer.whitespace, punctuation])
    },
    "ByteLevel": { description throws(GRAOError) in try ByteLevelPreTokenizer(description) },
    "CharDelimiterSplit": { description throws(GRAOError) in try CharacterPreTokenizer.delimiter(description) },
    "Digits": { description throws(GRAOError) in try DigitsPreTokenizer(description) },
    "Metaspace": { description throws(GRAOError) in try Metaspace(description) },
    "Punctuation": { description throws(GRAOError) in try CharacterPreTokenizer.punctuation(description) },
    "Sequence": { description throws(GRAOError) in try PreTokenizerSequence(description) },
    "Split": { description throws(GRAOError) in try SplitPreTokenizer(description) },
    "Whitespace": { _ in WordPreTokenizer() },
    "WhitespaceSplit": { _ in CharacterPreTokenizer.whitespace },
  ])
}

/// Several pre-tokenizers, each cutting the pieces of the one before.
struct PreTokenizerSequence: PreTokenizer {
  private let preTokenizers: [any PreTokenizer]

  init(_ preTokenizers: [any PreTokenizer]) { self.preTokenizers = preTokenizers }

  init(_ description: StageDescription) throws(GRAOError) {
    var preTokenizers: [any PreTokenizer] = []
    for stage in try description.stages("pretokenizers") {
      preTokenizers.append(try PreTokenizers.registry.make(stage))
    }
    self.preTokenizers = preTokenizers
  }

  func cut(_ pieces: inout Pieces) throws(GRAOError) {
    for preTokenizer in preTokenizers {
      pieces.spell()
      try preTokenizer.cut(&pieces)
    }
  }
}
