import Templates
import Testing
import Values

/// The published chat templates, byte for byte as transformers renders them.
@Suite struct PublishedTests {
  @Test func templatesArePresent() { #expect(Fixtures.published.count >= 25) }

  @Test(arguments: Fixtures.published) func conversationsAreAsInTransformers(_ name: String) throws {
    let fixture = try Fixtures.json("chats.json")
    let options = try #require(fixture["options"]?.array)
    let template = try Template(try Fixtures.source(name), name: name)
    for golden in try #require(Fixtures.json("published/\(name).json").array) {
      let chatName = try #require(golden["chat"]?.string)
      let chat = try #require(fixture["chats"]?[chatName])
      var variables = Table(chat["options"]?.table.map { $0.map { ($0.key, $0.value) } } ?? [])
      let optionIndex = try #require(golden["option"]?.integer)
      for (key, value) in try #require(options[optionIndex].table) { variables[key] = value }
      func take(_ key: String) -> Value? {
        defer { variables[key] = nil }
        return variables[key]
      }
      let tools = take("tools")?.array
      let documents = take("documents")?.array
      let prompt = take("add_generation_prompt")?.boolean ?? false
      let continues = take("continue_final_message")?.boolean ?? false
      let messages = try #require(chat["messages"]?.array)
      // Errors of the conversation itself name no template.
      var outcome = Outcome(name: name) {
        try template.renderChat(
          messages: messages, tools: tools, documents: documents, addGenerationPrompt: prompt,
          continueFinalMessage: continues ? "content" : nil, variables: variables, now: Fixtures.now)
      }
      let expected = try Outcome(golden: golden)
      if continues, expected == .error, case .raised = outcome { outcome = .error }
      #expect(outcome == expected, "\(name), \(chatName), option \(optionIndex)")
    }
  }
}
