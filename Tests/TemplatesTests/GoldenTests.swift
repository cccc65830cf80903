import Foundation
import Templates
import Testing
import Values

/// Against jinja2 as transformers sets it up: Tests/Oracles/make_templates.py.
@Suite struct GoldenTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fixtures/templates")

  private static func json(_ name: String) throws -> Value {
    try JSON.parse(Data(contentsOf: folder.appending(path: name)), source: name)
  }

  /// Compares a rendering with the oracle's: its text, the message of its raise_exception, or that it failed.
  private static func expect(_ expected: Value, _ what: String, _ body: () throws -> String) throws {
    do {
      let text = try body()
      guard let wanted = expected["text"]?.string else {
        return #expect(Bool(false), "\(what)\nshould have failed, gave \(text)")
      }
      let isEqual = text.utf8.elementsEqual(wanted.utf8)
      #expect(isEqual, "\(what)\ngave     \(text)\nexpected \(wanted)")
    } catch let error as GRAOError {
      #expect(expected["text"] == nil, "\(what)\nfailed: \(error.message)")
      if let message = expected["error"]?.string { #expect(error.message == message, "\(what)") }
    }
  }

  @Test func semantics() throws {
    let cases = try #require(Self.json("semantics.json").array)
    #expect(cases.count > 350)
    for example in cases {
      let source = try #require(example["template"]?.string)
      let variables = try #require(example["variables"]?.table)
      let now = Date(timeIntervalSince1970: 1_772_600_767)
      try Self.expect(example, source) { try Template(source, name: "test").render(variables, now: now) }
    }
  }

  @Test func publishedTemplates() throws {
    let json = try Self.json("conversations.json")
    let now = Date(timeIntervalSince1970: try #require(json["now"]?.number))
    let tokens: Table = ["bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"]
    var names: Set<String> = []
    for example in try #require(json["cases"]?.array) {
      let name = try #require(example["template"]?.string)
      let file = Self.folder.appending(path: "published/\(name)")
      let source = try String(contentsOf: file, encoding: .utf8)
      names.insert(name)
      let conversation = try #require(example["conversation"]?.string)
      let options = Set(try #require(example["options"]?.array).compactMap(\.string))
      try Self.expect(example, "\(name): \(conversation) \(options.sorted())") {
        try Template(source, name: name).renderChat(
          messages: try #require(json["conversations"]?[conversation]?.array),
          tools: options.contains("tools") ? json["tools"]?.array : nil,
          addGenerationPrompt: options.contains("add_generation_prompt"),
          continueFinalMessage: options.contains("continue_final_message"), variables: tokens, now: now)
      }
    }
    #expect(names.count >= 24)
  }
}
