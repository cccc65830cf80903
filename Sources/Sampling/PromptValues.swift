import Tokenizers
import Values

/// Prompts and responses from the values of scripts and datasets: a string, an array of token ids, or an array of chat
/// messages.
extension Prompt {
  /// - Parameter what: what the value is, for messages: "column 'prompt'".
  public init(_ value: Value, _ what: String) throws(GRAOError) {
    self = try read(value, what, text: Prompt.text, messages: Prompt.messages, ids: Prompt.ids)
  }
}

extension Response {
  /// - Parameter what: what the value is, for messages: "column 'reference'".
  public init(_ value: Value, _ what: String) throws(GRAOError) {
    self = try read(value, what, text: Response.text, messages: Response.messages, ids: Response.ids)
  }
}

extension ChatOptions {
  /// What a row says of its chat messages, by TRL's names: `tools`, an array of JSON schemas or JSON text of one, and
  /// `chat_template_kwargs`, variables of the template such as `enable_thinking`.
  /// - Parameter what: what these values are, for messages: "column".
  public init(row: Table, _ what: String) throws(GRAOError) {
    self.init()
    if var given = row["tools"]?.unlessNull {
      if let text = given.string { given = try JSON.parse(Array(text.utf8), source: "\(what) 'tools'") }
      let schemas = given.array ?? (given.table?.isEmpty == true ? [] : nil)
      guard let schemas, schemas.allSatisfy({ $0.table != nil }) else {
        throw GRAOError("\(what) 'tools' must be an array of tables, the JSON schemas of tools")
      }
      // No tools are what a row without them has.
      tools = schemas.isEmpty ? nil : schemas
    }
    if let given = row["chat_template_kwargs"]?.unlessNull {
      guard let table = given.table else {
        throw GRAOError("\(what) 'chat_template_kwargs' must be a table, not \(given.kind)")
      }
      variables = table
    }
  }
}

private func read<T>(
  _ value: Value, _ what: String, text: (String) -> T, messages: ([Value]) -> T, ids: ([Int32]) -> T
) throws(GRAOError) -> T {
  if let string = value.string { return text(string) }
  if let chat = try chatMessages(value, what) { return messages(chat) }
  return ids(try value.tokenIDs(what, "a string, an array of token ids or chat messages"))
}

/// Nil where the value is no array that begins with a table.
private func chatMessages(_ value: Value, _ what: String) throws(GRAOError) -> [Value]? {
  guard let array = value.array, array.first?.table != nil else { return nil }
  for (index, message) in array.enumerated() where message["role"]?.string == nil {
    throw GRAOError("\(what): message \(index + 1) must be a table with a string 'role'")
  }
  return array
}

extension Value {
  /// Token ids.
  /// - Parameters: as of ``elements(_:_:_:)``, which throws in the same cases.
  package func tokenIDs(_ what: String, _ expected: String) throws(GRAOError) -> [Int32] {
    try elements(what, expected) { $0.integer.flatMap { Int32(exactly: $0) } }
  }
}
