/// What a model is asked: text, or token ids taken as they are.
public enum Prompt: Sendable, ExpressibleByStringLiteral {
  /// Encoded with special tokens, as transformers does by default.
  case text(String)
  case ids([Int32])

  public init(stringLiteral value: String) { self = .text(value) }
}

/// What a model should say: text, which is encoded without special tokens and ends with the end-of-sequence token, or
/// token ids taken as they are.
public enum Response: Sendable, ExpressibleByStringLiteral {
  case text(String)
  case ids([Int32])

  public init(stringLiteral value: String) { self = .text(value) }
}
