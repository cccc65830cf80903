import Values

/// Conversations, as transformers' apply_chat_template renders them.
extension Template {
  /// Renders messages by transformers' rules: keys whose value is null are dropped from each message, reasoning is
  /// given under all its names, and a continued final message ends where its own text does.
  /// - Parameters:
  ///   - messages: tables with `role` and `content`.
  ///   - tools: JSON schemas; nil where there are none.
  ///   - documents: tables, mostly of `title` and `text`.
  ///   - continueFinalMessage: the field of the last message that the model is to go on writing ("content"); nil
  ///     where that message is complete.
  ///   - variables: what else the template sees: `bos_token`, `eos_token`, `enable_thinking`, …
  ///   - now: the time that `strftime_now` shows.
  /// - Throws: as `render`; also where a message cannot be continued, or is not a table.
  public func renderChat(
    messages: [Value], tools: [Value]? = nil, documents: [Value]? = nil, addGenerationPrompt: Bool = false,
    continueFinalMessage: String? = nil, variables: Table = Table(), now: LocalTime = .current()
  ) throws(GRAOError) -> String {
    var chat = try Template.normalized(messages)
    var continuation: Continuation?
    if let field = continueFinalMessage {
      guard !addGenerationPrompt else {
        throw GRAOError("a final message cannot be continued and followed by a generation prompt at once")
      }
      continuation = try Continuation(of: field, in: &chat, template: source)
    }
    let variables = try chatVariables(chat, tools, documents, addGenerationPrompt, variables)
    let text = try render(variables, now: now)
    return try continuation?.cut(text) ?? text
  }

  private func chatVariables(
    _ chat: [Table], _ tools: [Value]?, _ documents: [Value]?, _ addGenerationPrompt: Bool, _ others: Table
  ) throws(GRAOError) -> Table {
    for tool in tools ?? [] where tool.table == nil { throw GRAOError("a tool must be a table, not \(tool.kind)") }
    for document in documents ?? [] where document.table == nil {
      throw GRAOError("a document must be a table, not \(document.kind)")
    }
    var variables = others
    variables["messages"] = .array(chat.map { .table($0) })
    variables["tools"] = tools.map { .array($0) } ?? .null
    variables["documents"] = documents.map { .array($0) } ?? .null
    variables["add_generation_prompt"] = .boolean(addGenerationPrompt)
    return variables
  }

  fileprivate static let reasoningFields = ["reasoning_content", "thinking", "reasoning"]

  private static func normalized(_ messages: [Value]) throws(GRAOError) -> [Table] {
    try messages.enumerated().map { (index, message) throws(GRAOError) in
      guard let table = message.table else {
        throw GRAOError("message \(index + 1) must be a table, not \(message.kind)")
      }
      let given = Table(table.filter { !$0.value.isNull }.map { ($0.key, $0.value) })
      guard let reasoning = reasoningFields.lazy.compactMap({ given[$0] }).first else { return given }
      var aliased = Table()
      aliased["thinking"] = reasoning
      for (key, value) in given { aliased[key] = value }
      aliased["reasoning_content"] = reasoning
      return aliased
    }
  }
}

/// A final message that ends with a tag, at which its rendered form is cut.
private struct Continuation {
  private static let tag: Text = "CONTINUE_FINAL_MESSAGE_TAG "
  private let text: Text

  /// Puts the tag behind the text of `field` in the last message, under each name that reasoning has.
  init(of field: String, in chat: inout [Table], template: String) throws(GRAOError) {
    guard var last = chat.popLast() else { throw GRAOError("no final message to continue: there are no messages") }
    guard let value = last[field] else { throw GRAOError("the final message has no '\(field)' to continue") }
    var fields = [field]
    if Template.reasoningFields.contains(field) { fields = Template.reasoningFields.filter { last[$0] == value } }
    guard fields.contains(where: { Text(template).contains(Text($0)) }) else {
      throw GRAOError("'\(field)' cannot be continued: the template does not use it")
    }
    switch value {
    case .string(let string):
      text = Text(string)
      for field in fields { last[field] = .string(string + Continuation.tag.string) }
    case .array(var blocks):
      guard let place = blocks.lastIndex(where: { $0["text"] != nil }), var block = blocks[place].table,
        let string = block["text"]?.string
      else { throw GRAOError("the final message has no text to continue") }
      text = Text(string)
      block["text"] = .string(string + Continuation.tag.string)
      blocks[place] = .table(block)
      for field in fields { last[field] = .array(blocks) }
    default: throw GRAOError("'\(field)' of the final message is \(value.kind), not text to continue")
    }
    chat.append(last)
  }

  /// The rendered text up to the end of the final message's.
  func cut(_ rendered: String) throws(GRAOError) -> String {
    let rendered = Text(rendered)
    guard rendered.contains(text.trimmed()), let place = rendered.findLast(Continuation.tag.trimmed()) else {
      throw GRAOError("the final message cannot be continued: the template does not show the whole of it")
    }
    let before = Text(bytes: rendered.bytes[..<place])
    // Without the tag's own space the template trims the message.
    let keepsSpace = Text(bytes: rendered.bytes[place...]).hasPrefix(Continuation.tag)
    return (keepsSpace ? before : before.trimmed(leading: false)).string
  }
}
