import Alignment
import Data
import Models
import Sampling
import TestSupport
import Testing
import Tokenizers
import Values

extension TrainerSuite {
  /// Chat messages in rows, under published templates.
  @Suite struct Conversations {
    static func model(_ template: String) throws -> Model {
      let tokenizer = try Tokenizer(
        json: Fixtures.json("tokenizers/gpt2/tokenizer.json"), config: GoldenConversation.tokenizerConfig(template),
        source: template)
      let config: Table = [
        "model_type": "llama", "vocab_size": .integer(tokenizer.vocabularySize), "hidden_size": 16,
        "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 4096,
      ]
      return try Model(configuration: config, tokenizer: tokenizer, seed: 1)
    }

    /// A response's pieces as the golden files write them.
    static func pieces(_ ids: [Int32], _ mask: [Bool]?, _ model: Model) throws -> [String] {
      let tokenizer = try #require(model.tokenizer)
      return zip(mask ?? ids.map { _ in true }, ids).map { ($0 ? "+" : "-") + (tokenizer.token(of: $1) ?? "?") }
    }

    /// Without those that show the day.
    static let templates = GoldenConversation.templates.filter {
      (try? GoldenConversation.tokenizerConfig($0)["chat_template"]?.string?.contains("strftime_now")) == false
    }

    /// References, and both sides of a pair, are trained on in exactly the tokens of the golden files.
    @Test(arguments: templates) func rowsOfMessages(_ template: String) throws {
      let model = try Self.model(template)
      let tokenizer = try #require(model.tokenizer)
      let sft = try Trainer(model, TrainingOptions(method: .sft))
      let dpo = try Trainer(model, TrainingOptions(method: .dpo))
      let golden = try GoldenConversation.all(of: template)
      #expect(golden.count >= 12)
      for golden in golden {
        var pair = golden.row
        pair["chosen"] = pair["reference"]
        pair["rejected"] = [["role": "assistant", "content": "No."]]
        guard let prompt = golden.prompt, let response = golden.response else {
          #expect(throws: GRAOError.self, "\(golden.name)") { try sft.rollout([golden.row]) }
          continue
        }
        let group = try sft.rollout([golden.row])[0]
        #expect(group.prompt.map { tokenizer.token(of: $0) ?? "?" } == prompt, "\(golden.name)")
        #expect(try Self.pieces(group.reference ?? [], group.referenceMask, model) == response, "\(golden.name)")
        let judged = try dpo.rollout([pair])[0]
        let (chosen, rejected) = (try #require(judged.chosen), try #require(judged.rejected))
        #expect(judged.prompt == group.prompt)
        #expect(try Self.pieces(chosen.ids, chosen.mask, model) == response, "\(golden.name)")
        #expect(tokenizer.decode(rejected.ids).hasSuffix("No.") || tokenizer.decode(rejected.ids).hasSuffix("No. "))
        #expect(rejected.ids.last.map(tokenizer.isSpecial) == true && rejected.mask == nil)
      }
    }

    /// The loss is over the tokens that are trained on, as the model itself scores them, and no other.
    @Test func theLossIsThatOfTheMarkedTokens() throws {
      let model = try Self.model("qwen2.5")
      let row = try #require(GoldenConversation.all(of: "qwen2.5").first { $0.name == "system, three answers" }).row
      let prompt = try Prompt(row["prompt"] ?? .null, "prompt")
      let response = try model.encode(Response(row["reference"] ?? .null, "reference"), after: prompt)
      let mask = try #require(response.mask)
      #expect(mask.contains(true) && mask.contains(false))
      let logp = zip(try model.logProbabilities(of: .ids(response.ids), after: prompt), mask).filter(\.1).map {
        Double($0.0)
      }
      let trainer = try Trainer(model, TrainingOptions(method: .sft))
      let loss = try trainer.step(trainer.rollout([row])).number("loss")
      let expected = -logp.reduce(0, +) / Double(logp.count)
      #expect(abs(loss - expected) < 1e-5 * expected)
    }

    /// The ids that were sampled are those that are trained on, also where their text has other ids.
    @Test(arguments: [Method.grpo, .grao, .ppo]) func sampledIDsAreNeverTokenizedAgain(
      _ method: Method
    ) throws {
      let names = ["one answer", "system, one answer", "history"]
      let rows = try GoldenConversation.all(of: "llama-3.1").filter { names.contains($0.name) }.map(\.row)
      var options = TrainingOptions(method: method)
      options.rewards = [evenShare]
      options.groupSize = 4
      options.sampling.maxNewTokens = 12
      options.optimizer.learningRate = .constant(1e-3)
      let model = try Self.model("llama-3.1")
      let tokenizer = try #require(model.tokenizer)
      let trainer = try Trainer(model, options)
      let groups = try trainer.rollout(rows)
      let samples = groups.flatMap(\.samples)
      #expect(groups.count == 3 && samples.count == 12)
      for (group, row) in zip(groups, rows) {
        #expect(try group.prompt == model.encode(Prompt(row["prompt"] ?? .null, "prompt")))
      }
      // The text alone would not do.
      let again = try samples.filter {
        try tokenizer.encode(tokenizer.decode($0.ids, skipSpecialTokens: false), addSpecialTokens: false) != $0.ids
      }
      #expect(again.count > samples.count / 2)
      let metrics = try trainer.step(groups)
      #expect(try metrics.number("sampling/logprob_difference") == 0)

      // The same step on nothing but ids, by a model without a tokenizer.
      let other = try Model(
        configuration: [
          "model_type": "llama", "vocab_size": .integer(tokenizer.vocabularySize), "hidden_size": 16,
          "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 4096,
        ], seed: 1)
      let bare = groups.map { group in
        var bare = Group(
          prompt: group.prompt, samples: group.samples.map { Group.Sample(ids: $0.ids, reward: $0.reward) },
          reference: group.reference, referenceReward: group.referenceReward)
        bare.referenceMask = group.referenceMask
        for index in bare.samples.indices { bare.samples[index].rewards = group.samples[index].rewards }
        return bare
      }
      let twin = try Trainer(other, options)
      _ = try twin.step(bare)
      let same = other.bits == model.bits
      #expect(same)
    }

    @Test func mistakesInColumnsAreNamed() throws {
      let trainer = try Trainer(Self.model("qwen2.5"), TrainingOptions(method: .sft))
      var row = try #require(GoldenConversation.all(of: "qwen2.5").first { $0.name == "tool call" }).row
      let asTable = try trainer.rollout([row])[0]
      // As datasets keep it.
      row["tools"] = .string(try JSON.print(row["tools"] ?? .null))
      let asText = try trainer.rollout([row])[0]
      #expect(asTable.prompt == asText.prompt && asTable.reference == asText.reference)
      row["tools"] = [1]
      #expect(
        try message { try trainer.rollout([row]) }
          == "row 1: column 'tools' must be an array of tables, the JSON schemas of tools")
      row["tools"] = .null
      row["chat_template_kwargs"] = 5
      #expect(
        try message { try trainer.rollout([row]) }
          == "row 1: column 'chat_template_kwargs' must be a table, not an integer")
      // With a text as prompt they are columns like any other.
      row["prompt"] = "Hi"
      row["reference"] = "Hello"
      #expect(try trainer.rollout([row]).count == 1)
    }
  }
}
