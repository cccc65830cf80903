import Foundation
import Models
import Sampling
import TestSupport
import Testing
import Tokenizers
import Values

/// Chat messages as prompts and responses, under published templates: what is trained on is exactly what the assistant
/// says, and the token that ends its turn.
@Suite(.machine) struct ConversationTests {
  /// What the assistant says in answer to one message, by template; its end-of-turn token ends it.
  static let answers: [(template: String, said: String)] = [
    ("deepseek-v2", " Hello!</s>"),
    ("deepseek-v3", "Hello!<｜end▁of▁sentence｜>"),
    ("deepseek-v3.1", "Hello!<｜end▁of▁sentence｜>"),
    ("gemma-2", "Hello!<end_of_turn>"),
    ("gemma-3", "Hello!<end_of_turn>"),
    ("gpt-oss", "<|channel|>final<|message|>Hello!<|return|>"),
    ("granite-3.1", "Hello!<|end_of_text|>"),
    ("granite-3.3", "Hello!<|end_of_text|>"),
    ("granite-4.0", "Hello!<|end_of_text|>"),
    ("kimi-k2", "Hello!<|im_end|>"),
    ("kimi-vl-a3b", "Hello!<|im_end|>"),
    ("llama-3.1", "Hello!<|eot_id|>"),
    ("llama-3.2", "Hello!<|eot_id|>"),
    ("llama-3.3", "Hello!<|eot_id|>"),
    ("mistral-7b-v0.3", " Hello! </s>"),
    ("mistral-nemo", "Hello!</s>"),
    ("mistral-small-3.2", "Hello!</s>"),
    ("mixtral-8x7b", "Hello!</s>"),
    ("olmo-2", "Hello!</s>"),
    ("phi-3-mini", "Hello!<|end|>"),
    ("phi-3.5-mini", "Hello!<|end|>"),
    ("phi-4", "Hello!<|im_end|>"),
    ("qwen2.5", "Hello!<|im_end|>"),
    ("qwen3", "<think>\n\n</think>\n\nHello!<|im_end|>"),
    ("smollm2", "Hello!<|im_end|>"),
    ("smollm3", "Hello!<|im_end|>"),
  ]

  private static let special = [
    "<|im_start|>", "<|im_end|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>", "<start_of_turn>",
    "<end_of_turn>", "<|start|>", "<|channel|>", "<|message|>", "<|return|>", "<|end|>", "<|end_of_text|>",
    "<|im_middle|>", "<|im_user|>", "<|im_assistant|>", "<|im_system|>", "<|im_sep|>", "<｜User｜>", "<｜Assistant｜>",
    "<｜end▁of▁sentence｜>", "<|start_of_role|>", "<|end_of_role|>", "[INST]", "[/INST]", "<|user|>", "<|assistant|>",
  ]

  /// A small byte-level tokenizer with a published chat template and the special tokens of all of them.
  static func tokenizer(_ template: String) throws -> Tokenizer {
    let source = Fixtures.path("templates/published/\(template).jinja")
    let config: Table = [
      "bos_token": "<s>", "eos_token": "</s>",
      "chat_template": .string(try String(contentsOfFile: source, encoding: .utf8)),
      "additional_special_tokens": .array(special.map { .string($0) }),
    ]
    return try Tokenizer(json: Fixtures.json("tokenizers/gpt2/tokenizer.json"), config: config, source: template)
  }

  static func model(_ template: String) throws -> Model {
    let tokenizer = try tokenizer(template)
    let config: Table = [
      "model_type": "llama", "vocab_size": .integer(tokenizer.vocabularySize), "hidden_size": 8,
      "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "max_position_embeddings": 4096,
    ]
    return try Model(configuration: config, tokenizer: tokenizer, seed: 1)
  }

  static var question: [Value] { [["role": "user", "content": "Hi"]] }

  /// A response's tokens in runs that are trained on or not.
  static func runs(_ response: EncodedResponse, _ tokenizer: Tokenizer) -> [(text: String, trained: Bool)] {
    var runs: [(ids: [Int32], trained: Bool)] = []
    for (index, id) in response.ids.enumerated() {
      let trained = response.mask?[index] ?? true
      if runs.last?.trained == trained { runs[runs.count - 1].ids.append(id) } else { runs.append(([id], trained)) }
    }
    return runs.map { (tokenizer.decode($0.ids, skipSpecialTokens: false), $0.trained) }
  }

  @Test(arguments: answers) func theAssistantsTokensAreTrainedOn(_ template: String, _ said: String) throws {
    let model = try Self.model(template)
    let tokenizer = try #require(model.tokenizer)
    let answer = Response.messages([["role": "assistant", "content": "Hello!"]])
    let response = try model.encode(answer, after: .messages(Self.question))
    #expect(tokenizer.decode(response.ids, skipSpecialTokens: false) == said)
    #expect(response.mask == nil)
    let end = try #require(response.ids.last)
    #expect(tokenizer.isSpecial(end))
    #expect(response.text.map { $0 + (tokenizer.token(of: end) ?? "") } == said)
    // The prompt is the template's own up to there, without further special tokens.
    let prompt = try model.encode(Prompt.messages(Self.question))
    let rendered = try tokenizer.chat(Self.question, ChatOptions(addGenerationPrompt: true))
    #expect(prompt == (try tokenizer.encode(rendered, addSpecialTokens: false)))
    let whole = try tokenizer.chat(Self.question + [["role": "assistant", "content": "Hello!"]])
    #expect(whole.hasPrefix(rendered + said))
    // A text gets the same end.
    let text = try model.encode(.text("Hello!"), after: .messages(Self.question))
    #expect(text.ids == (try tokenizer.encode("Hello!", addSpecialTokens: false)) + [end])
  }

  /// What others say between the assistant's turns is there, and not trained on.
  @Test(arguments: [
    ("qwen2.5", "\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n", "<|im_end|>"),
    (
      "llama-3.1",
      "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
      "<|eot_id|>"
    ),
    ("kimi-vl-a3b", "<|im_user|>user<|im_middle|>Bye<|im_end|><|im_assistant|>assistant<|im_middle|>", "<|im_end|>"),
    ("gemma-2", "\n<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n", "<end_of_turn>"),
    ("olmo-2", "\n<|user|>\nBye\n<|assistant|>\n", "</s>"),
    ("deepseek-v3", "<｜User｜>Bye<｜Assistant｜>", "<｜end▁of▁sentence｜>"),
  ])
  func othersTurnsAreMasked(_ template: String, _ between: String, _ end: String) throws {
    let model = try Self.model(template)
    let messages: [Value] = [
      ["role": "assistant", "content": "Hello"], ["role": "user", "content": "Bye"],
      ["role": "assistant", "content": "Ciao"],
    ]
    let response = try model.encode(.messages(messages), after: .messages(Self.question))
    let runs = Self.runs(response, try #require(model.tokenizer))
    #expect(runs.map(\.text) == ["Hello" + end, between, "Ciao" + end])
    #expect(runs.map(\.trained) == [true, false, true])
  }

  /// Qwen3 forgets the empty thoughts of earlier turns, so they are no beginning of the later text.
  @Test func aTemplateThatRewritesEarlierTurnsIsAnError() throws {
    let messages: [Value] = [
      ["role": "assistant", "content": "Hello"], ["role": "user", "content": "Bye"],
      ["role": "assistant", "content": "Ciao"],
    ]
    let error = try #require(throws: GRAOError.self) {
      try Self.model("qwen3").encode(.messages(messages), after: .messages(Self.question))
    }
    #expect(error.message.hasPrefix("the chat template does not render the assistant's message as a continuation"))
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
