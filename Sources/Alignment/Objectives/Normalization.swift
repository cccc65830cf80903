/// How a method averages over tokens.
public enum Normalization: String, Sendable, CaseIterable {
  /// The mean over sequences of the mean over their tokens.
  case sequence
  /// The mean over all tokens of the call (DAPO, arXiv 2503.14476).
  case token
  /// The sum over tokens divided by sequences × `max_new_tokens`, so that no length is favoured (Dr. GRPO, arXiv
  /// 2503.20783).
  case constant

  /// What the sum over one sequence's trained tokens is divided by, so that the loss of a call is the sum over its
  /// sequences. At least 1.
  /// - Parameter longest: tokens that a completion may have, for ``constant``.
  func divisor(of sequence: SequenceTokens, in batch: ObjectiveBatch, longest: Int) -> Double {
    let divisor =
      switch self {
      case .sequence: batch.sequences * sequence.trainedCount
      case .token: batch.tokens
      case .constant: batch.sequences * longest
      }
    return Double(max(divisor, 1))
  }
}
