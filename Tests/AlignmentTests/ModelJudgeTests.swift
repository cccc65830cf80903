import Data
import Foundation
import Models
import Sampling
import TestSupport
import Testing
import Tokenizers
import Values

@testable import Alignment

extension TrainerSuite {
  /// A language model of our own as judge.
  @Suite struct Judges {
    static func model(chat: Bool, context: Int = 1024, hidden: Int = 16) throws -> Model {
      var config: Table = ["bos_token": "<|endoftext|>", "eos_token": "<|im_end|>"]
      if chat {
        let source = Fixtures.path("templates/published/smollm2.jinja")
        config["chat_template"] = .string(try String(contentsOfFile: source, encoding: .utf8))
      }
      let tokenizer = try Tokenizer(
        json: Fixtures.json("tokenizers/gpt2/tokenizer.json"), config: config, source: "gpt2")
      return try Model(
        configuration: [
          "model_type": "llama", "vocab_size": .integer(tokenizer.vocabularySize), "hidden_size": .integer(hidden),
          "intermediate_size": .integer(2 * hidden), "num_hidden_layers": 2, "num_attention_heads": 2,
          "max_position_embeddings": .integer(context), "initializer_range": 0.2,
        ], tokenizer: tokenizer, seed: 1)
    }

    static func sample(
      _ completion: String?, _ reference: String? = "no", prompt: Value = "Is it?", isReference: Bool = false
    ) -> RewardSample {
      RewardSample(
        prompt: prompt.string ?? "rendered", completion: completion, reference: reference, promptIDs: [], ids: [],
        finishReason: .stop, row: ["prompt": prompt], step: 1, isReference: isReference)
    }

    @Test(arguments: [false, true]) func scoresAreProbabilities(chat: Bool) throws {
      let model = try Self.model(chat: chat)
      let judge = ModelJudge(model, criterion: "harmless")
      let samples = ["yes", "perhaps", "yes", "of course not"].map { Self.sample($0) }
      let scores = try judge.score(samples).map { try $0.get() }
      for (sample, score) in zip(samples, scores) {
        // One question at a time, one answer at a time.
        let answers = try [true, false].map { first in
          let text = try #require(JudgeQuestion(criterion: "harmless").text(sample, completionFirst: first))
          let prompt =
            chat ? Prompt.messages([["role": "user", "content": .string(text)]]) : Prompt.text(text + "\n\nAnswer:")
          let likelihoods = try ["1 > 2", "1 = 2", "1 < 2"].map { answer in
            try model.logProbabilities(of: .text((chat ? "" : " ") + answer), after: prompt)
              .reduce(0) { $0 + Double($1) }
          }.map(exp)
          return (likelihoods[0] - likelihoods[2]) / likelihoods.reduce(0, +)
        }
        let value = try #require(score.value)
        #expect(abs(value - (answers[0] - answers[1]) / 2) < 1e-12 && value != 0)
        #expect(abs(score.numbers["order_bias"]! - abs(answers[0] + answers[1]) / 2) < 1e-12)
      }
      #expect(scores[0] == scores[2])
      // Text 1 against text 2 is the opposite of text 2 against text 1.
      let turned = try judge.score([Self.sample("no", "yes")])[0].get()
      #expect(turned.value == scores[0].value.map { -$0 } && turned.numbers == scores[0].numbers)
    }

    @Test func whatNeedsNoJudge() throws {
      let judge = ModelJudge(try Self.model(chat: false))
      let scores = try judge.score([
        Self.sample("yes", isReference: true), Self.sample("no"), Self.sample(nil), Self.sample("yes", nil),
      ]).map { try $0.get() }
      #expect(scores == [RewardScore(0), RewardScore(0), RewardScore(nil), RewardScore(nil)])
    }

    @Test func theQuestionIsThePeoplesWords() {
      let messages: Value = [["role": "system", "content": "Be brief."], ["role": "user", "content": "Is it?"]]
      let text = JudgeQuestion(criterion: "which is funnier").text(
        Self.sample("yes", prompt: messages), completionFirst: false)
      #expect(
        text?.contains(
          """
          <context>
          system: Be brief.
          user: Is it?
          </context>
          <text_1>
          no
          </text_1>
          <text_2>
          yes
          </text_2>

          The criterion: which is funnier.
          """) == true)
    }

    @Test(
      arguments: [
        ("1 > 2", 1), ("1<2", -1), (" **1 = 2**.\n", 0), ("Text 1 is better, so 1 > 2!", 1),
        ("Either 1 > 2 or 1 < 2?\nI say\n1 < 2", -1), ("<think>1 > 2? no</think>1 < 2", -1), ("text 1", nil), ("", nil),
        ("1 > 2 or 1 < 2", nil), ("11 > 2", nil), ("1 > 25", nil), ("2 > 1", nil),
      ] as [(String, Double?)])
    func answersAreRead(_ answer: String, _ expected: Double?) {
      #expect(JudgeQuestion.verdict(answer) == expected)
    }

    @Test func aModelThatKnowsAnswersInWords() throws {
      let model = try Self.model(chat: false, hidden: 32)
      let question = JudgeQuestion(criterion: "helpful")
      let rows = try [
        ("yes", true, " 1 > 2"), ("yes", false, " 1 < 2"), ("bad", true, " 1 < 2"), ("bad", false, " 1 > 2"),
      ]
      .map { completion, first, answer in
        let text = try #require(question.text(Self.sample(completion), completionFirst: first))
        return ["prompt": .string(text + "\n\nAnswer:"), "reference": .string(answer)] as Table
      }
      var options = TrainingOptions(method: .sft)
      options.data = try Dataset(rows: rows, source: "answers")
      options.promptsPerStep = 4
      options.steps = 100
      options.optimizer.learningRate = .constant(0.01)
      let greedy = ModelJudge(model, answers: .greedy)
      let samples = [Self.sample("yes"), Self.sample("bad")]
      // Not before it has learnt it.
      #expect(throws: GRAOError.self) { try greedy.score(samples)[0].get() }
      try Trainer(model, options).run()
      #expect(try greedy.score(samples).map { try $0.get().value } == [1, -1])
      let soft = try ModelJudge(model).score(samples).map { try $0.get().value ?? 0 }
      #expect(soft[0] > 0.5 && soft[1] < -0.5)
    }

    @Test func aQuestionThatDoesNotFitIsAnErrorOfItsSample() throws {
      let judge = ModelJudge(try Self.model(chat: false, context: 400))
      let scores = judge.score([Self.sample("yes"), Self.sample(String(repeating: "long ", count: 300))])
      #expect(try scores[0].get().value != nil)
      #expect(try message { try scores[1].get() }.hasPrefix("the judge cannot be asked: "))
      try judge.model.close()
      #expect(try message { try judge.score([Self.sample("yes")])[0].get() } == "the model has been closed")
    }
  }
}
