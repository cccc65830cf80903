import Foundation
import TestSupport
import Testing

/// grao-run inspect.
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
  }
}
