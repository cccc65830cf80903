import Foundation
import Values

/// Conversations, by the rules of transformers' apply_chat_template.
extension Template {
  /// - Parameters:
  ///   - messages: tables with `role` and `content`.
  ///   - tools: JSON schemas of tools; nil is none in the template.
  ///   - documents: tables with `title` and `text`.
  ///   - continueFinalMessage: cuts the text after what the last message says, so that it can be continued.
  ///   - variables: further variables of the template, special tokens among them.
  public func renderChat(
    messages: [Value], tools: [Value]? = nil, documents: [Value]? = nil, addGenerationPrompt: Bool = false,
    continueFinalMessage: Bool = false, variables: Table = Table(), now: Date = Date()
  ) throws(GRAOError) -> String {
    guard var last = messages.last else { throw GRAOError("the conversation is empty: it must have a message") }
    if continueFinalMessage, addGenerationPrompt {
      throw GRAOError("add_generation_prompt and continue_final_message cannot both be set")
    }
    var messages = messages.map(Self.normalized)
    last = Self.normalized(last)
    var said = ""
    if continueFinalMessage {
      (last, said) = try Self.tagged(last)
      messages[messages.count - 1] = last
    }
    var given = variables
    given["messages"] = .array(messages)
    given["tools"] = tools.map { .array($0) } ?? .null
    given["documents"] = documents.map { .array($0) } ?? .null
    given["add_generation_prompt"] = .boolean(addGenerationPrompt)
    let text = try render(given, now: now)
    return continueFinalMessage ? try Self.cut(text, after: said) : text
  }

  /// A message without keys that hold nothing, its reasoning under each of the names that templates read.
  private static func normalized(_ message: Value) -> Value {
    guard let given = message.table else { return message }
    var table = Table()
    for (key, value) in given where !value.isNull { table[key] = value }
    let names = ["reasoning_content", "thinking", "reasoning"]
    if let reasoning = names.lazy.compactMap({ table[$0] }).first {
      if table["thinking"] == nil { table["thinking"] = reasoning }
      table["reasoning_content"] = reasoning
    }
    return .table(table)
  }

  private static let tag = "CONTINUE_FINAL_MESSAGE_TAG "

  /// The message with a tag after its text, and that text.
  private static func tagged(_ message: Value) throws(GRAOError) -> (Value, String) {
    guard var table = message.table, let content = table["content"], !content.isNull else {
      throw GRAOError("continue_final_message: the last message has no 'content' to continue")
    }
    if let text = content.string {
      table["content"] = .string(text + tag)
      return (.table(table), text)
    }
    var blocks = content.array ?? []
    guard let index = blocks.lastIndex(where: { $0["text"]?.string != nil }), var block = blocks[index].table,
      let text = block["text"]?.string
    else { throw GRAOError("continue_final_message: the last message has no text to continue") }
    block["text"] = .string(text + tag)
    blocks[index] = .table(block)
    table["content"] = .array(blocks)
    return (.table(table), text)
  }

  private static func cut(_ text: String, after said: String) throws(GRAOError) -> String {
    let bare = String(tag.dropLast())
    guard text.contains(part: said.trimmingCharacters(in: .whitespacesAndNewlines)),
      let place = text.range(of: bare, options: [.backwards, .literal])
    else {
      throw GRAOError("continue_final_message: the chat template does not write the last message as it is")
    }
    let head = String(text[..<place.lowerBound])
    // Where the template kept the space after the tag it strips nothing, else it strips the text's end as well.
    if text[place.upperBound...].hasPrefix(" ") { return head }
    return String(head.reversed().drop { $0.isWhitespace }.reversed())
  }
}
