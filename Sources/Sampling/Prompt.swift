import Values

/// What a model is asked: text, token ids taken as they are, or a conversation.
public enum Prompt: ExpressibleByStringLiteral {
  /// Encoded with special tokens, as transformers does by default.
  case text(String)
  /// Taken as they are.
  case ids([Int32])
  /// Chat messages, tables with `role` and `content`: rendered with the model's chat template up to where the assistant
  /// begins to speak, and encoded without further special tokens.
  case messages([Value])

  public init(stringLiteral value: String) { self = .text(value) }
}

/// What a model should say.
public enum Response: ExpressibleByStringLiteral {
  /// Encoded without special tokens; the end-of-sequence token follows, or after chat messages the end-of-turn token.
  case text(String)
  /// Taken as they are.
  case ids([Int32])
  /// The chat messages that go on after a prompt of chat messages: the assistant's, and what others say between them.
  case messages([Value])

  public init(stringLiteral value: String) { self = .text(value) }

  /// What it is, for messages.
  var kind: String {
    switch self {
    case .text: "a text completion"
    case .ids: "a completion of ids"
    case .messages: "a response of chat messages"
    }
  }
}

/// A response in token ids.
public struct EncodedResponse: Equatable, Sendable {
  /// What the model should say, with the token that ends it where there is one.
  public var ids: [Int32]
  /// False for the tokens that the assistant does not say: others' turns, and what the template sets around them. Nil
  /// where it says all.
  public var mask: [Bool]?
  /// What is said, without the token that ends it; nil where the model has no tokenizer.
  public var text: String?

  /// - Parameter mask: one for each id, false for what is not trained on; nil: all is.
  public init(ids: [Int32], mask: [Bool]? = nil, text: String? = nil) {
    self.ids = ids
    self.mask = mask
    self.text = text
  }
}
