import Alignment
import Foundation
import Kernels
import Models
import Sampling
import TestSupport
import Testing
import Values

extension TrainerSuite {
  /// Training of models whose products compute in bfloat16.
  @Suite struct BFloat16TrainingTests {
    static let models = ["llama_bfloat16", "qwen3_moe_bfloat16"]

    private static func model(_ name: String, _ type: ComputeType = .bfloat16) throws -> Model {
      try Model.load(Fixtures.model(name), computeType: type)
    }

    /// The masters are changed by AdamW from their gradients, to the bit; the gradients, and so the change, are
    /// float32's to what bfloat16 rounds: a few per cent of a vector's length.
    @Test(arguments: models) func aStepChangesTheMastersAsInFloat32(_ name: String) throws {
      // With an epsilon far above all gradients the first step is the gradient times a constant.
      let options = try graoOptions([]) {
        $0.optimizer.learningRate = .constant(10)
        $0.optimizer.epsilon = 1e3
        $0.optimizer.maxGradNorm = 0
        $0.optimizer.weightDecay = 0
      }
      let group = Group(
        prompt: [3, 4, 5],
        samples: [
          Group.Sample(ids: [5, 6, 7], reward: 1), Group.Sample(ids: [9, 20, 30, 31], reward: 0),
          Group.Sample(ids: [50, 2], reward: 0.25),
        ], reference: [8, 11], referenceReward: 0.5)
      var changes: [[Float]] = []
      for type in ComputeType.allCases {
        let model = try Self.model(name, type)
        let parameters = model.network.parameters
        let before = parameters.parameters.flatMap(parameters.value)
        _ = try Trainer(model, options).step([group])
        let after = parameters.parameters.flatMap(parameters.value)
        let gradient = parameters.parameters.flatMap { parameters.gradient($0) }
        for i in before.indices {
          // m = g / 10, v = g² / 1000: w -= 10 · g / (|g| + 1000).
          let expected = Double(before[i]) - 10 * Double(gradient[i]) / (abs(Double(gradient[i])) + 1000)
          try #require(abs(Double(after[i]) - expected) <= 2e-7 * max(abs(Double(before[i])), 0.01))
        }
        changes.append(zip(after, before).map { $0 - $1 })
      }
      let apart = zip(changes[0], changes[1]).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }
      let length = changes[0].reduce(0.0) { $0 + pow(Double($1), 2) }
      #expect((apart / length).squareRoot() < 0.05)
      #expect((apart / length).squareRoot() > 0.001)
    }

    /// After steps, the model computes with its masters rounded: the model that its save in float32 loads as.
    @Test(arguments: models) func whatIsSavedIsWhatComputes(_ name: String) throws {
      let model = try Self.model(name)
      try Trainer(model, graoOptions { $0.data = try dataset() }).run()
      let directory = TemporaryPath()
      try model.save(directory.path)
      let saved = try Model.load(directory.path, computeType: .bfloat16)
      #expect(saved.bits != model.bits, "the masters are more exact than what products read")
      #expect(try Model.load(directory.path).bits == model.bits)
      let completion: [Int32] = [9, 20, 30, 31, 7]
      #expect(
        try saved.logProbabilities(of: .ids(completion), after: .ids([3, 4, 5])).map(\.bitPattern)
          == model.logProbabilities(of: .ids(completion), after: .ids([3, 4, 5])).map(\.bitPattern))
    }

    @Test(arguments: models) func theNumberOfThreadsShowsNowhere(_ name: String) throws {
      let before = Machine.threads
      defer { Machine.threads = before }
      var runs: [(bits: [[UInt32]], losses: [Double])] = []
      for threads in [1, 2, 5] {
        Machine.threads = threads
        let model = try Self.model(name)
        let log = MetricsLog()
        try Trainer(model, graoOptions { $0.data = try dataset() }).run(observer: log)
        for step in log.steps { #expect(try step.number("sampling/logprob_difference") == 0) }
        runs.append((model.bits, try log.steps.map { try $0.number("loss") }))
      }
      #expect(runs[0].bits == runs[1].bits && runs[0].bits == runs[2].bits)
      #expect(runs[0].losses == runs[1].losses && runs[0].losses == runs[2].losses)
    }
  }
}
