import Values

/// The third stage: gives the pieces their token ids.
protocol TokenModel: Sendable {
  var vocabulary: Vocabulary { get }

  /// Whether `encode` takes pieces whose bytes are not spelled yet.
  var takesUnspelled: Bool { get }

  /// Appends the ids of all pieces, in order.
  func encode(_ pieces: Pieces, to ids: inout [Int32]) throws(GRAOError)
}

extension TokenModel {
  var takesUnspelled: Bool { false }
}

enum TokenModels {
  static let registry = StageRegistry<any TokenModel>(makers: [
    "BPE": { description throws(GRAOError) in try BytePairEncoding(description) },
    "Unigram": { description throws(GRAOError) in try Unigram(description) },
    "WordLevel": { description throws(GRAOError) in try WordLevel(description) },
    "WordPiece": { description throws(GRAOError) in try WordPiece(description) },
  ])

  static func make(_ description: StageDescription) throws(GRAOError) -> any TokenModel {
    // Files from before tokenizers 0.10 do not name the type.
    if description.type == nil, description.value("merges") != nil { return try BytePairEncoding(description) }
    return try registry.make(description)
  }
}
