import Foundation
import Values

/// The golden conversations of Tests/Oracles/make_conversations.py: under each published template, which tokens are
/// trained on.
package struct GoldenConversation {
  package let name: String
  /// A dataset's row: `prompt`, `reference`, and where the case has them `tools` and `chat_template_kwargs`.
  package let row: Table
  /// The prompt's pieces; nil where the template refuses the conversation, or writes its beginning otherwise once it
  /// goes on.
  package let prompt: [String]?
  /// The pieces that follow, each with "+" before it where it is trained on and "-" where not.
  package let response: [String]?

  /// The published templates.
  package static let templates = Fixtures.names("templates/published").filter { $0.hasSuffix(".jinja") }
    .map { String($0.dropLast(6)) }

  /// Of one template.
  package static func all(of template: String) throws -> [GoldenConversation] {
    let given = try Fixtures.json("templates/trained/cases.json")["cases"]?.table ?? Table()
    let golden = try Fixtures.json("templates/trained/\(template).json").table ?? Table()
    return golden.map { name, pieces in
      var row = Table()
      for (column, key) in [
        ("prompt", "prompt"), ("reference", "response"), ("tools", "tools"), ("chat_template_kwargs", "variables"),
      ] {
        if let value = given[name]?[key] { row[column] = value }
      }
      func words(_ key: String) -> [String]? { pieces[key]?.string?.split(separator: " ").map(String.init) }
      return GoldenConversation(name: name, row: row, prompt: words("prompt"), response: words("response"))
    }
  }

  /// tokenizer_config.json beside a tokenizer with a published template and the special tokens of all of them.
  package static func tokenizerConfig(_ template: String) throws -> Table {
    let source = try String(contentsOfFile: Fixtures.path("templates/published/\(template).jinja"), encoding: .utf8)
    return [
      "bos_token": "<s>", "eos_token": "</s>", "chat_template": .string(source),
      "additional_special_tokens": try Fixtures.json("templates/trained/cases.json")["special"] ?? [],
    ]
  }
}
