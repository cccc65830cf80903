import Foundation
import Models
import Sampling
import TestSupport
import Testing
import Tokenizers
import Values

/// Where a model's chat templates are found, which of them is taken, and that a save keeps them.
@Suite(.machine) struct ChatTemplateFilesTests {
  /// A model directory with the quickstart's tokenizer and these files besides.
  static func directory(config: Value?, _ files: [String: String] = [:]) throws -> TemporaryPath {
    let directory = TemporaryPath()
    let source = Fixtures.root + "/scripts/arithmetic-tokenizer"
    try FileManager.default.createDirectory(
      atPath: directory.path + "/additional_chat_templates", withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: source + "/tokenizer.json", toPath: directory.path + "/tokenizer.json")
    var settings = try #require(
      JSON.parse(String(contentsOfFile: source + "/tokenizer_config.json", encoding: .utf8), source: "config").table)
    settings["chat_template"] = config
    var files = files
    files["tokenizer_config.json"] = try JSON.print(.table(settings))
    for (name, text) in files {
      try text.write(toFile: directory.path + "/" + name, atomically: true, encoding: .utf8)
    }
    return directory
  }

  /// What the template for all purposes, the one for tools, and the one named "rag" render; "-" where there is none.
  static func chosen(_ tokenizer: Tokenizer) -> [String] {
    func render(_ change: (inout ChatOptions) -> Void) -> String {
      var options = ChatOptions()
      change(&options)
      return (try? tokenizer.chat([["role": "user", "content": "Hi"]], options)) ?? "-"
    }
    return [render { _ in }, render { $0.tools = [["type": "function"]] }, render { $0.template = "rag" }]
  }

  static var named: Value {
    [
      ["name": "default", "template": "D"], ["name": "tool_use", "template": "T"], ["name": "rag", "template": "R"],
    ]
  }

  /// A name that a tokenizer has no template of is itself a template, as in transformers.
  @Test func everyPlaceOfADirectory() throws {
    let jinja = ["chat_template.jinja": "J"]
    let further = ["additional_chat_templates/tool_use.jinja": "AT", "additional_chat_templates/rag.jinja": "AR"]
    let cases: [(config: Value?, files: [String: String], expected: [String])] = [
      (nil, [:], ["-", "-", "rag"]),
      ("C", [:], ["C", "C", "rag"]),
      (Self.named, [:], ["D", "T", "R"]),
      (["default": "D", "tool_use": "T", "rag": "R"], [:], ["D", "T", "R"]),
      ([["name": "rag", "template": "R"]], [:], ["-", "-", "R"]),
      ("C", jinja, ["J", "J", "rag"]),
      (nil, jinja, ["J", "J", "rag"]),
      // Files take the place of everything in tokenizer_config.json.
      (Self.named, jinja, ["J", "J", "rag"]),
      (nil, jinja.merging(further) { $1 }, ["J", "AT", "AR"]),
      (Self.named, further, ["-", "AT", "AR"]),
    ]
    for (config, files, expected) in cases {
      let directory = try Self.directory(config: config, files)
      let tokenizer = try Tokenizer.load(directory: directory.path)
      #expect(Self.chosen(tokenizer) == expected, "\(files)")
      // One that is given takes the place of all.
      #expect(Self.chosen(try Tokenizer.load(directory: directory.path, chatTemplate: "G")) == ["G", "G", "rag"])

      let copy = TemporaryPath()
      let model = try Model(
        configuration: [
          "model_type": "llama", "vocab_size": 80, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1,
          "num_attention_heads": 1,
        ], tokenizer: tokenizer, seed: 1)
      try model.save(copy.path)
      #expect(Self.chosen(try Tokenizer.load(directory: copy.path)) == expected, "saved, \(files)")
    }
  }

  @Test func theKeysOfAGGUFFile() throws {
    let tokens = ["<unk>", "<s>", "</s>", "a", "b"]
    func tokenizer(_ templates: Table, chatTemplate: String? = nil) throws -> Tokenizer {
      var metadata: Table = [
        "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2", "tokenizer.ggml.merges": ["a b"],
        "tokenizer.ggml.tokens": .array((tokens + ["ab"]).map { .string($0) }),
        "tokenizer.ggml.token_type": [3, 3, 3, 1, 1, 1],
      ]
      for (key, value) in templates { metadata[key] = value }
      return try Tokenizer(ggufMetadata: metadata, chatTemplate: chatTemplate, source: "test.gguf")
    }
    let all: Table = [
      "tokenizer.chat_template": "D", "tokenizer.chat_template.tool_use": "T", "tokenizer.chat_template.rag": "R",
      "tokenizer.chat_templates": ["tool_use", "rag"],
    ]
    #expect(Self.chosen(try tokenizer([:])) == ["-", "-", "rag"])
    #expect(Self.chosen(try tokenizer(["tokenizer.chat_template": "D"])) == ["D", "D", "rag"])
    #expect(Self.chosen(try tokenizer(all)) == ["D", "T", "R"])
    #expect(Self.chosen(try tokenizer(["tokenizer.chat_template.rag": "R"])) == ["-", "-", "R"])
    #expect(Self.chosen(try tokenizer(all, chatTemplate: "G")) == ["G", "G", "rag"])
  }

  /// A template that cannot be read is an error when it is asked for, with its line, and none before.
  @Test func aBrokenTemplate() throws {
    let directory = try Self.directory(config: "ok\n{% if %}")
    let tokenizer = try Tokenizer.load(directory: directory.path)
    #expect(try tokenizer.encode("1+2").count == 3)
    let error = try #require(throws: GRAOError.self) { try tokenizer.chat([]) }
    #expect(error.message.contains("chat template:2: expected an expression"), "\(error.message)")
  }
}
