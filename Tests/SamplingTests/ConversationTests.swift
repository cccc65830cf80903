import Foundation
import Models
import Sampling
import Templates
import TestSupport
import Testing
import Tokenizers
import Values

/// Chat messages as prompts and responses, under published templates: what is trained on is exactly what the assistant
/// says, and the token that ends its turn.
@Suite(.machine) struct ConversationTests {
  /// A small byte-level tokenizer with a published chat template and the special tokens of all of them.
  static func tokenizer(_ template: String, kind: String = "gpt2") throws -> Tokenizer {
    try Tokenizer(
      json: Fixtures.json("tokenizers/\(kind)/tokenizer.json"), config: GoldenConversation.tokenizerConfig(template),
      source: template)
  }

  static func model(_ template: String) throws -> Model { try model(tokenizer(template)) }

  static func model(_ tokenizer: Tokenizer) throws -> Model {
    let config: Table = [
      "model_type": "llama", "vocab_size": .integer(tokenizer.vocabularySize), "hidden_size": 8,
      "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "max_position_embeddings": 4096,
    ]
    return try Model(configuration: config, tokenizer: tokenizer, seed: 1)
  }

  private static let oracleClock = LocalTime(year: 2024, month: 7, day: 26, hour: 15, minute: 4, second: 5)

  private static func pieces(_ ids: [Int32], _ tokenizer: Tokenizer) -> [String] {
    ids.map { tokenizer.token(of: $0) ?? "?" }
  }

  /// "+" before a piece that is trained on, "-" before one that is not.
  private static func marked(_ response: EncodedResponse, _ tokenizer: Tokenizer) -> [String] {
    let marks = response.mask ?? response.ids.map { _ in true }
    return zip(marks, pieces(response.ids, tokenizer)).map { ($0 ? "+" : "-") + $1 }
  }

  private static var question: [Value] { [["role": "user", "content": "Hi"]] }

  @Test func everyTemplateHasAGoldenFile() throws {
    #expect(GoldenConversation.templates.count >= 28)
    let files = Fixtures.names("templates/trained").filter { $0 != "cases.json" }
    #expect(files == GoldenConversation.templates.map { $0 + ".json" })
  }

  @Test(arguments: GoldenConversation.templates) func exactlyTheAssistantsTokensAreTrainedOn(
    _ template: String
  ) throws {
    let model = try Self.model(template)
    let tokenizer = try #require(model.tokenizer)
    for golden in try GoldenConversation.all(of: template) {
      let prompt = try Prompt(golden.row["prompt"] ?? .null, "prompt")
      let response = try Response(golden.row["reference"] ?? .null, "reference")
      var chat = try ChatOptions(row: golden.row, "column")
      chat.now = Self.oracleClock
      guard golden.response != nil else {
        #expect(throws: GRAOError.self, "\(template), \(golden.name)") {
          try model.encode(response, after: prompt, chat)
        }
        continue
      }
      #expect(Self.pieces(try model.encode(prompt, chat), tokenizer) == golden.prompt, "\(template), \(golden.name)")
      let encoded = try model.encode(response, after: prompt, chat)
      #expect(Self.marked(encoded, tokenizer) == golden.response, "\(template), \(golden.name)")
      // Rewards see the text without the token that ends it.
      let text = tokenizer.decode(encoded.ids, skipSpecialTokens: false)
      #expect(encoded.text.map { $0 + (tokenizer.token(of: encoded.ids.last ?? 0) ?? "") } == text)
    }
  }

  /// Turns have the tokens that they have in the whole text, with a tokenizer that treats the beginning of a text apart.
  @Test func theTokensAreThoseOfTheWholeText() throws {
    let tokenizer = try Self.tokenizer("llama-3.1", kind: "spm-bpe-first")
    let model = try Self.model(tokenizer)
    let golden = try #require(Fixtures.json("templates/in_one_piece.json").table)
    #expect(golden.count == 4)
    var chat = ChatOptions()
    chat.now = Self.oracleClock
    for conversation in try GoldenConversation.all(of: "llama-3.1") {
      guard let golden = golden[conversation.name] else { continue }
      let prompt = try Prompt(conversation.row["prompt"] ?? .null, "prompt")
      let response = try Response(conversation.row["reference"] ?? .null, "reference")
      #expect(Self.pieces(try model.encode(prompt, chat), tokenizer).joined(separator: " ") == golden["prompt"]?.string)
      let encoded = try model.encode(response, after: prompt, chat)
      #expect(Self.marked(encoded, tokenizer).joined(separator: " ") == golden["response"]?.string)
    }
  }

  /// A string gets the end that the template sets.
  @Test(arguments: GoldenConversation.templates) func aTextEndsAsATurnDoes(_ template: String) throws {
    let model = try Self.model(template)
    let tokenizer = try #require(model.tokenizer)
    let question = Prompt.messages([["role": "user", "content": "Hi"]])
    let text = try model.encode(.text("Hello!"), after: question)
    let turn = try model.encode(.messages([["role": "assistant", "content": "Hello!"]]), after: question)
    let end = try #require(turn.ids.last)
    #expect(tokenizer.isSpecial(end))
    #expect(text.ids == (try tokenizer.encode("Hello!", addSpecialTokens: false)) + [end])
  }

  /// Marks that are no tokens of the tokenizer end no turn: its eos_token does, as it ends sampling.
  @Test func marksThatAreText() throws {
    let template =
      "{% for m in messages %}{{ m.role }}: {{ m.content }} ###\n{% endfor %}"
      + "{% if add_generation_prompt %}assistant:{% endif %}"
    let tokenizer = try Tokenizer(
      json: Fixtures.json("tokenizers/gpt2/tokenizer.json"),
      config: [
        "eos_token": "</s>", "chat_template": .string(template), "additional_special_tokens": ["</think>"],
      ], source: "test")
    let model = try Self.model(tokenizer)
    let prompt = Prompt.messages(Self.question)
    func said(_ response: Response) throws -> String {
      tokenizer.decode(try model.encode(response, after: prompt).ids, skipSpecialTokens: false)
    }
    #expect(try said(.text("Hello")) == "Hello</s>")
    #expect(try said(.messages([["role": "assistant", "content": "Hello"]])) == " Hello ###</s>")
    // A special token within a turn does not end it.
    #expect(
      try said(.messages([["role": "assistant", "content": "Hm</think>Hello"]])) == " Hm</think>Hello ###</s>")
    let turns: [Value] = [
      ["role": "assistant", "content": "A"], ["role": "user", "content": "B"], ["role": "assistant", "content": "C"],
    ]
    let response = try model.encode(.messages(turns), after: prompt)
    #expect(tokenizer.decode(response.ids, skipSpecialTokens: false) == " A ###\nuser: B ###\nassistant: C ###</s>")
    let trained = zip(response.ids, response.mask ?? []).filter(\.1).map(\.0)
    #expect(tokenizer.decode(trained, skipSpecialTokens: false) == " A ### C ###</s>")
  }

  /// Damaged templates: an error, or tokens with marks, whatever the places where turns seem to begin and end.
  @Test func damagedTemplatesAreNoCrash() throws {
    var random = RandomStream(seed: 7)
    let inserted = [
      "messages", "not ", "{{ messages|length }}", "assistant", "loop.last", "{{ eos_token }}", "\n", "<x>",
    ]
    var (encoded, refused) = (0, 0)
    for template in GoldenConversation.templates {
      let rows = try GoldenConversation.all(of: template).map(\.row)
      var config = try GoldenConversation.tokenizerConfig(template)
      let source = Array(try #require(config["chat_template"]?.string).unicodeScalars)
      for _ in 0..<8 {
        var damaged = source
        for _ in 0..<(1 + random.integer(below: 3)) {
          let place = random.integer(below: damaged.count)
          switch random.integer(below: 3) {
          case 0: damaged.removeSubrange(place..<min(damaged.count, place + 1 + random.integer(below: 12)))
          case 1: damaged.insert(contentsOf: inserted[random.integer(below: inserted.count)].unicodeScalars, at: place)
          default: damaged.insert(contentsOf: damaged[place..<min(damaged.count, place + 60)], at: place)
          }
        }
        config["chat_template"] = .string(String(String.UnicodeScalarView(damaged)))
        let model = try Self.model(
          Tokenizer(json: Fixtures.json("tokenizers/gpt2/tokenizer.json"), config: config, source: template))
        for row in rows {
          do {
            let prompt = try Prompt(row["prompt"] ?? .null, "prompt")
            let response = try Response(row["reference"] ?? .null, "reference")
            let said = try model.encode(response, after: prompt, ChatOptions(row: row, "column"))
            #expect(said.mask == nil ? !said.ids.isEmpty : said.mask?.count == said.ids.count)
            #expect(said.mask?.contains(true) != false)
            encoded += 1
          } catch { refused += 1 }
        }
      }
    }
    #expect(encoded > 500 && refused > 500)
  }

  @Test func mistakesAreNamed() throws {
    let model = try Self.model("mistral-nemo")
    func message(_ body: () throws -> Void) -> String {
      do {
        try body()
        return ""
      } catch { return (error as? GRAOError)?.message ?? "" }
    }
    #expect(
      message { _ = try model.encode(.messages([["role": "assistant", "content": "a"]]), after: .text("x")) }
        == "a response of chat messages needs a prompt of chat messages")
    #expect(
      message { _ = try model.encode(.messages([["role": "user", "content": "a"]]), after: .messages(Self.question)) }
        == "the messages of a response must hold one with the role 'assistant'")
    // The template's own words.
    #expect(
      message { _ = try model.encode(Prompt.messages(Self.question + Self.question)) }.contains("must alternate"))
    #expect(
      message { _ = try Prompt([["content": "a"]], "column 'prompt'") }
        == "column 'prompt': message 1 must be a table with a string 'role'")
  }

  /// Named templates: "tool_use" where tools are given, "default" else, or the one that is asked for.
  @Test func severalTemplates() throws {
    let templates: Value = [
      ["name": "default", "template": "D{{ bos_token }}{{ x }}"], ["name": "tool_use", "template": "T"],
      ["name": "rag", "template": "R"],
    ]
    let tokenizer = try Tokenizer(
      json: Fixtures.json("tokenizers/gpt2/tokenizer.json"), config: ["bos_token": "<s>", "chat_template": templates],
      source: "test")
    var options = ChatOptions()
    options.variables = ["x": 5]
    #expect(try tokenizer.chat(Self.question, options) == "D<s>5")
    options.tools = [["type": "function"]]
    #expect(try tokenizer.chat(Self.question, options) == "T")
    options.template = "rag"
    #expect(try tokenizer.chat(Self.question, options) == "R")
    options.template = "own {{ messages[0].content }}"
    #expect(try tokenizer.chat(Self.question, options) == "own Hi")
    let bare = try Tokenizer(json: Fixtures.json("tokenizers/gpt2/tokenizer.json"), config: nil, source: "test")
    let error = try #require(throws: GRAOError.self) { try bare.chat(Self.question) }
    #expect(error.message == "the tokenizer has no chat template: give one as the option 'template'")
  }
}
