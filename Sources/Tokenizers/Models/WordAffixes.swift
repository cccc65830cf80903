import Values

/// How a BPE vocabulary writes characters that do not start a word ("##a") and those that end one ("a</w>").
struct WordAffixes: Sendable {
  private let prefix: String
  private let suffix: String

  /// Nil where the model has neither.
  init?(_ description: StageDescription) throws(GRAOError) {
    func affix(_ key: String) throws(GRAOError) -> String {
      description.value(key) == nil ? "" : try description.string(key)
    }
    prefix = try affix("continuing_subword_prefix")
    suffix = try affix("end_of_word_suffix")
    if prefix.isEmpty, suffix.isEmpty { return nil }
  }

  func spelling(of character: UnsafeBufferPointer<UInt8>, isFirst: Bool, isLast: Bool) -> [UInt8] {
    (isFirst ? [] : Array(prefix.utf8)) + character + (isLast ? Array(suffix.utf8) : [])
  }

  /// The id of a character at its place in a word, or -1.
  func id(
    of character: UnsafeBufferPointer<UInt8>, isFirst: Bool, isLast: Bool, _ vocabulary: Vocabulary
  ) -> Int32 {
    spelling(of: character, isFirst: isFirst, isLast: isLast).withUnsafeBufferPointer { vocabulary.id(of: $0) } ?? -1
  }

  /// What the second token of a merge adds to the first.
  func withoutPrefix(_ token: Substring) -> Substring {
    Substring(token.unicodeScalars.dropFirst(prefix.unicodeScalars.count))
  }
}
