import Alignment
import Models
import Sampling
import TestSupport
import Testing
import Values

extension TrainerSuite {
  /// Whole steps of whole models against transformers and torch; Tests/Fixtures/README.md says how they were made.
  @Suite struct GoldenSteps {
    static func noise(_ golden: Golden, _ name: String) throws -> Double {
      try #require(golden.json["noise"]?[name]?.number)
    }

    @Test(arguments: TrainerSuite.models) func twoStepsOfSFT(_ name: String) throws {
      let golden = try Golden(name)
      let given = try #require(golden.json["sft"]?["optimizer"]?.table)
      let betas = try numbers(given["betas"])
      var options = TrainingOptions(method: .sft)
      options.optimizer.learningRate = .constant(try given.number("learning_rate"))
      options.optimizer.betas = (betas[0], betas[1])
      options.optimizer.epsilon = try given.number("eps")
      options.optimizer.weightDecay = try given.number("weight_decay")
      options.optimizer.maxGradNorm = try given.number("max_grad_norm")
      let model = try Model.fixture(name)
      let trainer = try Trainer(model, options)
      let groups = try golden.sequences().map { Group(prompt: $0.prompt, reference: $0.completion) }

      // The second step's loss is of weights that carry the noise of the first.
      for (step, expected) in try #require(golden.json["sft"]?["steps"]?.array).enumerated() {
        let metrics = try trainer.step(groups)
        let loss = try #require(expected["loss"]?.number)
        let norm = try #require(expected["grad_norm"]?.number)
        #expect(norm > options.optimizer.maxGradNorm, "a step that is not clipped proves less")
        #expect(abs(try metrics.number("loss") - loss) < 3e-6 * Double(1 + step))
        #expect(abs(try metrics.number("grad_norm") - norm) < 3e-6 * Double(1 + step) * norm)
        #expect(metrics["step"] == .integer(step + 1))
      }
      let tensors = try GoldenTensors(golden.folder)
      let before = golden.network.parameters
      let tolerance = Float(3 * (try Self.noise(golden, "after")))
      for (parameter, old) in zip(model.network.parameters.parameters, before.parameters) {
        let after = model.network.parameters.value(parameter)
        let expected = try tensors.values("after." + parameter.placement.tensor)
        #expect(largestDifference(after, expected) <= tolerance, "\(parameter.placement.tensor)")
        #expect(
          largestDifference(after, before.value(old)) > 100 * tolerance, "\(parameter.placement.tensor) did not move")
      }
    }

    /// GRAO's golden group of two samples and a reference.
    static func group(_ golden: Golden) throws -> Group {
      let grao = try #require(golden.json["grao"])
      let samples = try zip(#require(grao["completions"]?.array), numbers(grao["rewards"])).map {
        Group.Sample(ids: try ids($0), reward: $1)
      }
      return Group(
        prompt: try ids(grao["prompt"]), samples: samples, reference: try ids(grao["reference"]),
        referenceReward: grao["reference_reward"]?.number)
    }

    /// Options under which a step leaves the weights as they are and its gradients where they can be read.
    static func still(_ change: (inout TrainingOptions) throws -> Void = { _ in }) throws -> TrainingOptions {
      try graoOptions([]) {
        $0.optimizer.learningRate = .constant(0)
        try change(&$0)
      }
    }

    /// In one pass; in passes of one or two branches; and with the samples' own log-probabilities at hand.
    @Test(arguments: TrainerSuite.models, [2048, 12, 1]) func partsOfGRAO(_ name: String, microBatch: Int) throws {
      let golden = try Golden(name)
      for kind in AdvantageOptions.Group.allCases {
        let expected = try #require(golden.json["grao"]?["groups"]?[kind.rawValue]?.table)
        let model = try Model.fixture(name)
        let before = model.bits
        let options = try Self.still {
          $0.advantage.group = kind
          $0.microBatchTokens = microBatch
        }
        let metrics = try Trainer(model, options).step([Self.group(golden)])
        let tolerance = 3 * (try Self.noise(golden, "logprobs"))
        for key in ["loss", "exploration", "imitation", "regularizer"] {
          #expect(abs(try metrics.number(key) - expected.number(key)) < tolerance, "\(key), \(kind)")
        }
        for key in ["exploration", "imitation", "regularizer"] {
          #expect(metrics["objective/" + key] == metrics[key])
        }
        let sum = try metrics.number("exploration") + metrics.number("imitation") + metrics.number("regularizer")
        #expect(try metrics.number("loss") == -sum)
        #expect(model.bits == before, "learning rate 0")
      }
    }

    @Test(arguments: TrainerSuite.models, [2048, 12, 1]) func gradientOfGRAO(_ name: String, microBatch: Int) throws {
      let golden = try Golden(name)
      let model = try Model.fixture(name)
      let metrics = try Trainer(model, Self.still { $0.microBatchTokens = microBatch }).step([Self.group(golden)])
      let tensors = try GoldenTensors(golden.folder, file: "golden.grao.safetensors")
      let tolerance = Float(5 * (try Self.noise(golden, "grao_grad")))
      var sum = 0.0
      for parameter in model.network.parameters.parameters {
        let expected = try tensors.values("grad." + parameter.placement.tensor)
        let largest = expected.reduce(0) { max($0, abs($1)) }
        let difference = largestDifference(model.network.parameters.gradient(parameter), expected)
        #expect(difference <= tolerance * largest, "\(parameter.placement.tensor): \(difference / largest)")
        sum += expected.reduce(0) { $0 + Double($1) * Double($1) }
      }
      #expect(abs(try metrics.number("grad_norm") - sum.squareRoot()) < 3e-6 * sum.squareRoot())
    }
  }
}
