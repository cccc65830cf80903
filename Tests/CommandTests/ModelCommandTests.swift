import Foundation
import TestSupport
import Testing

/// grao-run inspect and grao-run tokenize.
extension CommandSuite {
  @Suite struct ModelCommands {
    private static let tokenizer = Fixtures.root + "/scripts/arithmetic-tokenizer"

    @Test func inspectSaysWhatAModelHolds() throws {
      let outcome = try Workplace().run("inspect", Fixtures.path("architectures/mixtral"))
      #expect(outcome.code == 0 && outcome.errors == "")
      #expect(
        outcome.lines == [
          "format            Hugging Face directory",
          "architecture      mixtral",
          "stored as         float32 (41 tensors)",
          "parameters        31136, 21920 active per token",
          "layers            2",
          "experts           4 per layer, 2 per token",
          "vocabulary        96",
          "context           64 tokens",
          "KV cache          256 bytes per token, 16.4 kB for a full context",
          "memory to sample  156.3 kB for the weights in float32, 82.6 kB in bfloat16, and the KV cache",
          "memory to train   625.2 kB in float32, 698.9 kB in bfloat16, for weights, gradients and AdamW's moments, and "
            + "activations",
          "tokenizer         none: works on token ids",
        ])
    }

    @Test func inspectNamesWhatIsNotSupported() throws {
      let place = try Workplace()
      let folder = place.path + "/model"
      try FileManager.default.copyItem(atPath: Fixtures.path("architectures/mixtral"), toPath: folder)
      let config = place.text("model/config.json").replacingOccurrences(of: "\"mixtral\"", with: "\"mamba\"")
      try place.write(config, to: "model/config.json")
      try place.write("{}", to: "model/tokenizer.json")
      let outcome = try place.run("inspect", "model")
      #expect(outcome.code == 1 && outcome.errors == "")
      #expect(outcome.lines.contains { $0.hasPrefix("unsupported: model: config key 'model_type' is 'mamba'") })
      #expect(outcome.lines.contains("unsupported: model/tokenizer.json: model: expected a table, found nothing"))
      let missing = try place.run("inspect", "none")
      #expect(missing.code == 1 && missing.output == "")
      #expect(missing.errors == "grao-run: none: there is no such file or directory\n")
      #expect(try place.run("inspect").code == 2)
    }

    @Test func tokenizeShowsIdsAndPieces() throws {
      let place = try Workplace()
      #expect(
        try place.run("tokenize", Self.tokenizer, "1+2=", "3").lines == ["6\t1", "15\t+", "7\t2", "19\t=", "8\t3"])
      #expect(try place.run("tokenize").code == 2)
    }

    @Test func tokenizeMarksWhatIsTrainedOn() throws {
      let place = try Workplace()
      for file in ["tokenizer.json", "tokenizer_config.json"] {
        try FileManager.default.copyItem(atPath: Self.tokenizer + "/" + file, toPath: place.path + "/" + file)
      }
      try place.write(
        "{% for m in messages %}{{ m.content }}{% if m.role == 'assistant' %}{{ eos_token }}{% else %}={% endif %}{% endfor %}",
        to: "chat_template.jinja")
      try place.write(
        #"[{"role": "user", "content": "1+2"}, {"role": "assistant", "content": "3"}]"#, to: "chat.json")
      let outcome = try place.run("tokenize", ".", "--chat", "chat.json")
      #expect(outcome.code == 0 && outcome.errors == "")
      #expect(outcome.lines.prefix(5) == ["6\t-\t1", "15\t-\t+", "7\t-\t2", "19\t-\t=", "8\ttrained\t3"])
      #expect(outcome.lines.count == 6 && outcome.lines[5].hasPrefix("1\ttrained\t"))
      try place.write("{}", to: "empty.json")
      let bad = try place.run("tokenize", ".", "--chat", "empty.json")
      #expect(bad.code == 1 && bad.errors.hasPrefix("grao-run: empty.json: expected an array of chat messages"))
    }
  }
}
