import Checkpoints
import Tokenizers
import Values

extension Tokenizer {
  /// The tokenizer of a model directory or a GGUF file, without the model.
  /// - Parameter chatTemplate: a Jinja source in place of the files' chat template.
  public static func load(path: String, chatTemplate: String? = nil) throws(GRAOError) -> Tokenizer {
    if isDirectory(path) { return try load(directory: path, chatTemplate: chatTemplate) }
    let source = try openCheckpoint(path).tokenizer
    guard let tokenizer = try load(source, chatTemplate: chatTemplate, path: path) else {
      throw GRAOError("\(path): there is no tokenizer in it")
    }
    return tokenizer
  }

  /// What a checkpoint says of its tokenizer, as one; nil where it has none.
  static func load(
    _ source: TokenizerSource, chatTemplate: String?, path: String
  ) throws(GRAOError) -> Tokenizer? {
    switch source {
    case .directory(let directory): try load(directory: directory, chatTemplate: chatTemplate)
    case .gguf(let metadata): try Tokenizer(ggufMetadata: metadata, chatTemplate: chatTemplate, source: path)
    case .none: nil
    }
  }

  /// A conversation from the value of a JSON file: an array of messages, or an object with `messages` and further
  /// variables of the chat template. Where the last message is the assistant's, its tokens are marked as trained.
  /// - Parameter source: the file, for messages.
  public func encode(chat value: Value, source: String) throws(GRAOError) -> (ids: [Int32], trained: [Bool]) {
    guard case .messages(let messages) = try Prompt(value["messages"] ?? value, source) else {
      throw GRAOError("\(source): expected an array of chat messages, or an object with 'messages'")
    }
    var options = ChatOptions()
    for (key, value) in value.table ?? Table() where key != "messages" {
      switch key {
      case "tools": options.tools = value.array
      case "documents": options.documents = value.array
      default: options.variables[key] = value
      }
    }
    let conversation = Conversation(tokenizer: self, options: options)
    let asked = messages.last?["role"]?.string == "assistant" ? Array(messages.dropLast()) : messages
    let prompt = try encode(conversation.prompt(asked), addSpecialTokens: false)
    let response =
      asked.count == messages.count
      ? EncodedResponse(ids: []) : try conversation.response([messages[asked.count]], after: asked)
    let trained = response.mask ?? response.ids.map { _ in true }
    return (prompt + response.ids, prompt.map { _ in false } + trained)
  }
}
