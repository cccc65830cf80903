import Tokenizers
import Values

/// A conversation from the value of a JSON file: its tokens, and which of them training acts on.
extension Tokenizer {
  /// - Parameters:
  ///   - value: an array of messages; an object with `messages` and further variables of the chat template; or a
  ///     dataset's row: `prompt`, messages, and one of `reference`, `chosen` and `rejected`. Where the last of the messages
  ///     is the assistant's, its turns are marked as trained; otherwise its next turn is begun.
  ///   - source: the file, for messages.
  public func encode(chat value: Value, source: String) throws(GRAOError) -> (ids: [Int32], trained: [Bool]) {
    if let row = value.table, row["prompt"] != nil {
      do throws(GRAOError) { return try encode(row: row) } catch { throw GRAOError("\(source): \(error.message)") }
    }
    let given = value["messages"] ?? value
    guard given.array?.isEmpty == false, case .messages(let messages) = try Prompt(given, source) else {
      throw GRAOError("\(source): expected an array of chat messages, or an object with 'messages' or with 'prompt'")
    }
    let conversation = Conversation(tokenizer: self, options: try chatOptions(value.table ?? Table(), source))
    guard messages.last.map(conversation.isAssistant) == true else { return try encode(messages, nil, conversation) }
    let first = messages.firstIndex(where: conversation.isAssistant) ?? 0
    do throws(GRAOError) {
      return try encode(Array(messages[..<first]), .messages(Array(messages[first...])), conversation)
    } catch {
      // Templates that rewrite what was said, or begin with a user: only the last turn can be trained on there.
      guard first < messages.count - 1 else { throw error }
      return try encode(messages.dropLast(), .messages([messages[messages.count - 1]]), conversation)
    }
  }

  private func encode(row: Table) throws(GRAOError) -> (ids: [Int32], trained: [Bool]) {
    guard case .messages(let messages) = try Prompt(row["prompt"] ?? .null, "column 'prompt'") else {
      throw GRAOError("column 'prompt' must hold chat messages")
    }
    let column = ["reference", "chosen", "rejected"].first { row[$0]?.unlessNull != nil }
    let response = try column.map { column throws(GRAOError) in try Response(row[column] ?? .null, "column '\(column)'")
    }
    return try encode(
      messages, response, Conversation(tokenizer: self, options: try ChatOptions(row: row, "column")))
  }

  private func encode(
    _ messages: [Value], _ response: Response?, _ conversation: Conversation
  ) throws(GRAOError) -> (ids: [Int32], trained: [Bool]) {
    let prompt = try encode(conversation.prompt(messages), addSpecialTokens: false)
    let said = try response.map { response throws(GRAOError) in try conversation.encode(response, after: messages) }
    let trained = said.map { said in said.mask ?? said.ids.map { _ in true } } ?? []
    return (prompt + (said?.ids ?? []), prompt.map { _ in false } + trained)
  }

  /// Every key that is not of the rendering itself is a variable of the template.
  private func chatOptions(_ given: Table, _ source: String) throws(GRAOError) -> ChatOptions {
    var options = ChatOptions()
    for (key, value) in given where key != "messages" && !value.isNull {
      switch key {
      case "tools", "documents":
        guard let array = value.array else {
          throw GRAOError("\(source): '\(key)' must be an array, not \(value.kind)")
        }
        if key == "tools" { options.tools = array } else { options.documents = array }
      default: options.variables[key] = value
      }
    }
    return options
  }
}
