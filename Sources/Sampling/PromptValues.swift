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

private func read<T>(
  _ value: Value, _ what: String, text: (String) -> T, messages: ([Value]) -> T, ids: ([Int32]) -> T
) throws(GRAOError) -> T {
  if let string = value.string { return text(string) }
  if let chat = try chatMessages(value, what) { return messages(chat) }
  return ids(try tokenIDs(value, what))
}

/// Nil where the value is no array that begins with a table.
private func chatMessages(_ value: Value, _ what: String) throws(GRAOError) -> [Value]? {
  guard let array = value.array, array.first?.table != nil else { return nil }
  for (index, message) in array.enumerated() where message["role"]?.string == nil {
    throw GRAOError("\(what): message \(index + 1) must be a table with a string 'role'")
  }
  return array
}

private func tokenIDs(_ value: Value, _ what: String) throws(GRAOError) -> [Int32] {
  if let table = value.table, table.isEmpty { return [] }
  guard let array = value.array else {
    throw GRAOError("\(what) must be a string, an array of token ids or chat messages, not \(value.kind)")
  }
  var ids: [Int32] = []
  ids.reserveCapacity(array.count)
  for element in array {
    guard let id = element.integer.flatMap({ Int32(exactly: $0) }) else {
      throw GRAOError(
        "\(what) must be a string, an array of token ids or chat messages, but one element is \(element.kind)")
    }
    ids.append(id)
  }
  return ids
}
