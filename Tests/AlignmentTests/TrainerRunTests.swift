import Alignment
import Checkpoints
import Data
import Foundation
import Kernels
import Models
import Sampling
import TestSupport
import Testing
import Values

extension TrainerSuite {
  @Suite struct Runs {
    /// Trains a fixture to the end; what is left of the run: the saved weights' file, the metrics without times.
    static func outcome(
      _ name: String, threads: Int, _ options: TrainingOptions
    ) throws -> (weights: Foundation.Data, metrics: [String]) {
      let before = Machine.threads
      defer { Machine.threads = before }
      Machine.threads = threads
      let model = try Model.fixture(name)
      let log = MetricsLog()
      try Trainer(model, options).run(observer: log)
      let directory = TemporaryPath()
      try model.save(directory.path)
      return (try directory.bytes("model.safetensors"), try log.lines)
    }

    /// Rollouts, two rewards in Swift, advantages, three updates: the same bytes whatever the threads.
    @Test(arguments: ["llama", "qwen3_moe"]) func sameSeedSameBytes(_ name: String) throws {
      let long = Reward("long", weight: .linear(from: 0.5, to: 0.1)) { Double($0.ids.count) }
      let options = try graoOptions([evenShare, long]) {
        $0.data = try dataset()
        // Not all of a step's groups fit one pass.
        $0.microBatchTokens = 24
      }
      let one = try Self.outcome(name, threads: 1, options)
      let two = try Self.outcome(name, threads: 2, options)
      // As a Boolean: of two large collections a failing #expect would look for the least difference, for minutes.
      let same = one.weights == two.weights
      #expect(same)
      #expect(one.metrics == two.metrics)
      #expect(one.metrics.count == 3)

      var other = options
      other.seed += 1
      let differs = try Self.outcome(name, threads: 2, other).weights != one.weights
      #expect(differs)
    }

    /// What sampling reported is what the training pass computes: no difference in any bit, at any temperature.
    @Test(arguments: TrainerSuite.models, [Float(1), 0.7]) func samplerAndTrainerAgree(
      _ name: String, temperature: Float
    ) throws {
      for microBatch in [2048, 10] {
        let log = MetricsLog()
        let options = try graoOptions {
          $0.data = try dataset()
          $0.logprobTemperature = temperature
          $0.microBatchTokens = microBatch
          $0.sampling.topK = 20
        }
        try Trainer(Model.fixture(name), options).run(observer: log)
        #expect(log.steps.count == 3)
        for metrics in log.steps { #expect(try metrics.number("sampling/logprob_difference") == 0) }
      }
    }

    /// That the difference is 0 says something only if it can be seen: other log-probabilities give their distance.
    @Test func aDifferenceOfLogProbabilitiesIsSeen() throws {
      let trainer = try Trainer(Model.fixture("llama"), graoOptions())
      var groups = try trainer.rollout(rows(1))
      groups[0].samples[2].logprobs?[0] -= 0.25
      #expect(abs(try trainer.step(groups).number("sampling/logprob_difference") - 0.25) < 1e-6)
      for index in groups[0].samples.indices { groups[0].samples[index].logprobs = nil }
      #expect(try trainer.step(groups)["sampling/logprob_difference"] == nil)
    }

    /// Groups that do not fit a pass are cut at their branches. The log-probabilities are the same bits, so the loss is
    /// too; the gradient is up to the order of its sums.
    @Test(arguments: TrainerSuite.models) func microBatches(_ name: String) throws {
      let groups = try Trainer(Model.fixture(name), graoOptions()).rollout(rows(3))
      func step(_ microBatch: Int) throws -> (metrics: Table, gradients: [[Float]]) {
        let model = try Model.fixture(name)
        let metrics = try Trainer(model, graoOptions { $0.microBatchTokens = microBatch }).step(groups)
        return (metrics, model.network.parameters.parameters.map(model.network.parameters.gradient))
      }
      let whole = try step(2048)
      // 1: every branch by itself; 12: two branches of the longer groups; 40: some groups together.
      for microBatch in [1, 12, 40] {
        let parts = try step(microBatch)
        for key in ["loss", "exploration", "imitation", "regularizer"] {
          #expect(parts.metrics[key] == whole.metrics[key], "\(key)")
        }
        #expect(abs(try parts.metrics.number("entropy") - whole.metrics.number("entropy")) < 1e-6)
        let norm = try whole.metrics.number("grad_norm")
        #expect(abs(try parts.metrics.number("grad_norm") - norm) < 1e-6 * norm)
        for (part, gradient) in zip(parts.gradients, whole.gradients) {
          let largest = gradient.reduce(0) { max($0, abs($1)) }
          #expect(largestDifference(part, gradient) <= 2e-6 * largest)
        }
      }
    }

    /// A schedule is asked once a step, so that the metrics tell what was used.
    @Test func schedulesAreAskedOnceAStep() throws {
      var asked: [String: [Int]] = [:]
      func counting(_ name: String) -> Schedule {
        .custom(name: name) { state in
          asked[name, default: []].append(state.step)
          return Double(asked[name]?.count ?? 0)
        }
      }
      let options = try graoOptions([Reward("a", weight: counting("a")) { Double($0.ids.count { $0 % 2 == 0 }) }]) {
        $0.data = try dataset()
        $0.weights.imitation = counting("imitation")
        $0.optimizer.learningRate = counting("rate")
        $0.steps = 3
      }
      let metrics = try Trainer(Model.fixture("llama"), options).run()
      #expect(asked == ["a": [1, 2, 3], "imitation": [1, 2, 3], "rate": [1, 2, 3]])
      #expect(try metrics.number("weights/a") == 3)
      #expect(try metrics.number("weights/imitation") == 3)
      #expect(try abs(metrics.number("reward") - 3 * metrics.number("rewards/a/mean")) < 1e-12)
    }

    /// A row that is too long is named.
    @Test func rowsBeyondTheContext() throws {
      let model = try Model.fixture("llama")
      let context = model.contextLength
      func refusal(_ method: Method, prompt: Int, reference: Int) throws -> String {
        let row = Table([
          ("prompt", .array(Array(repeating: 5, count: prompt))),
          ("reference", .array(Array(repeating: 6, count: reference))),
        ])
        var options = method == .sft ? TrainingOptions(method: .sft) : try graoOptions([evenShare])
        options.data = try Dataset(rows: [row], source: "long")
        return try message { try Trainer(model, options).run() }
      }
      #expect(
        try refusal(.sft, prompt: 5, reference: context)
          == "long: row 1: a prompt of 5 tokens with a completion of \(context) exceeds the model's context of \(context)"
      )
      #expect(
        try refusal(.grao, prompt: context, reference: 0).hasPrefix("long: row 1: ")
          && refusal(.grao, prompt: context - 1, reference: 2).hasPrefix("long: row 1: "))
    }

    /// Rows follow a curriculum's weights, which see each row's history.
    @Test func aCurriculum() throws {
      var seen: [(number: Int, seen: Int, rewardMean: Double?)] = []
      let curriculum = ClosureCurriculum { row, state in
        let number = row["number"]?.integer ?? -1
        if state.step == 3 { seen.append((number, row["seen"]?.integer ?? -1, row["reward_mean"]?.number)) }
        return number % 2 == 1 ? 1 : 0
      }
      var asked: [Int] = []
      let watching = Reward("watching") { sample in
        if sample.isReference { asked.append(sample.row["number"]?.integer ?? -1) }
        return Double(sample.ids.count { $0 % 2 == 0 })
      }
      let options = try graoOptions([watching]) {
        $0.data = try dataset()
        $0.curriculum = curriculum
      }
      let trainer = try Trainer(Model.fixture("llama"), options)
      try trainer.run()
      try #require(asked.count == 6)
      #expect(asked.allSatisfy { $0 % 2 == 1 })
      // Within a step no row comes twice while another has weight.
      #expect(stride(from: 0, to: 6, by: 2).allSatisfy { asked[$0] != asked[$0 + 1] })
      #expect(seen.map(\.number) == Array(0..<6))
      for row in seen {
        #expect(row.seen == asked.prefix(4).count { $0 == row.number })
        #expect((row.rewardMean != nil) == (row.seen > 0))
      }
      #expect(trainer.state.history.values.reduce(0) { $0 + $1.seen } == 6)
      #expect(trainer.state.order == nil)

      let weightless = try graoOptions {
        $0.data = try dataset()
        $0.curriculum = ClosureCurriculum { _, _ in 0 }
      }
      #expect(
        try message { try Trainer(Model.fixture("llama"), weightless).run() }
          == "curriculum: every row has weight 0 at step 1")
    }

    /// One epoch where the number of steps is not given, every row once.
    @Test func anEpoch() throws {
      var asked: [Int] = []
      let watching = Reward("watching") { sample in
        if sample.isReference { asked.append(sample.row["number"]?.integer ?? -1) }
        return Double(sample.step)
      }
      let options = try graoOptions([watching]) {
        $0.data = try dataset(5)
        $0.steps = nil
        $0.groupSize = 1
      }
      let trainer = try Trainer(Model.fixture("llama"), options)
      #expect(trainer.totalSteps == 3)
      let summary = try trainer.run()
      #expect(summary["steps"] == 3 && trainer.state.step == 3)
      // The third step takes the row that is left.
      #expect(asked.count == 5 && Set(asked) == Set(0..<5))
      #expect(asked != Array(0..<5), "epochs are shuffled")
    }

    @Test func onStepEndsTheRun() throws {
      var states: [ScheduleState] = []
      let options = try graoOptions {
        $0.data = try dataset()
        $0.onStep = {
          states.append($0)
          return $0.step < 2
        }
      }
      let model = try Model.fixture("llama")
      let summary = try Trainer(model, options).run()
      #expect(summary["steps"] == 2)
      #expect(states.map(\.step) == [1, 2] && states.map(\.steps) == [3, 3])
      #expect(states.last?.metrics["loss"] == summary["loss"])
    }

    /// What a trainer needs, and what it refuses.
    @Test func mistakes() throws {
      let model = try Model.fixture("llama")
      #expect(
        try message { try Trainer(model, graoOptions()).run() }
          == "grao.train: option 'data' is missing: a dataset is required")
      let unjudged = try graoOptions([]) { $0.data = try dataset() }
      #expect(
        try message { try Trainer(model, unjudged).run() }
          == "grao.train: option 'rewards' is missing: method 'grao' needs at least one")
      var row = rows(1)[0]
      row["reference"] = nil
      let trainer = try Trainer(model, graoOptions())
      #expect(
        try message { try trainer.rollout([row]) }
          == "row 1: method 'grao' needs a column 'reference' (or 'chosen')")
      row["chosen"] = [4, 5]
      #expect(try trainer.rollout([row])[0].reference == [4, 5])
      row["prompt"] = [3, 96]
      #expect(
        try message { try trainer.rollout([row]) }
          == "row 1: the prompt has the token id 96, outside the vocabulary of 96")
      row["prompt"] = [["role": "user", "content": "hello"]]
      #expect(
        try message { try trainer.rollout([row]) }
          == "row 1: a prompt of chat messages needs a tokenizer, which this model lacks: give ids instead")

      let sample = Group.Sample(ids: [5, 6], reward: 1)
      func step(_ change: (inout Group) -> Void) throws -> String {
        var group = Group(prompt: [3, 4], samples: [sample], reference: [7], referenceReward: 0)
        change(&group)
        return try message { try trainer.step([group]) }
      }
      let bits = model.bits
      #expect(try step { $0.reference = nil } == "group 1: method 'grao' needs a reference, which the group lacks")
      #expect(try step { $0.reference = [] } == "group 1: the reference is empty: it must have at least one token")
      #expect(try step { $0.samples[0].ids = [] } == "group 1: a sample is empty: it must have at least one token")
      #expect(try step { $0.samples[0].reward = .nan } == "group 1: a sample's reward is nan")
      #expect(try step { $0.samples[0].logprobs = [0] } == "group 1: a sample has 2 ids but 1 logprobs")
      #expect(try step { $0.samples[0].mask = [true] } == "group 1: a sample has 2 ids but 1 mask")
      #expect(try step { $0.samples[0].ids = [5, 700] }.contains("the token id 700"))
      #expect(try step { $0.prompt = [] }.contains("the prompt is empty"))
      #expect(try step { $0.samples[0].ids = Array(repeating: 5, count: 70) }.contains("context of 64"))
      #expect(try step { $0.referenceReward = .infinity }.hasPrefix("group 1: the reference's reward is inf"))
      #expect(model.bits == bits && trainer.state.step == 0)

      let rates = try Trainer(model, graoOptions { $0.optimizer.learningRate = .custom(name: "f") { _ in .nan } })
      #expect(
        try message { try rates.step([Group(prompt: [3], samples: [sample], reference: [7], referenceReward: 0)]) }
          == "option 'optimizer.learning_rate': its schedule gives nan at step 1, not a finite number")
      try model.close()
      #expect(try message { try trainer.step([]) } == "the model has been closed")
      #expect(try message { try Trainer(model, graoOptions()) } == "the model has been closed")
    }

    /// Tokens under a mask of false teach nothing: their ids do not matter to the sample's own terms.
    @Test func masks() throws {
      let group = Group(
        prompt: [3, 4], samples: [Group.Sample(ids: [5, 6, 7], reward: 1, mask: [true, true, false])], reference: [8],
        referenceReward: 0)
      var shorter = group
      shorter.samples[0].ids.removeLast()
      shorter.samples[0].mask = nil
      var unmasked = group
      unmasked.samples[0].mask = nil
      let losses = try [group, shorter, unmasked].map { group in
        try Trainer(Model.fixture("llama"), graoOptions()).step([group]).number("loss")
      }
      #expect(losses[0] == losses[1])
      #expect(abs(losses[0] - losses[2]) > 1e-3)
    }

    /// Trained weights are written in float32, whatever the files had that they came from.
    @Test func trainedWeightsAreSavedInFloat32() throws {
      let model = try Model.fixture("llama_bfloat16")
      try Trainer(model, graoOptions { $0.data = try dataset() }).run()
      let directory = TemporaryPath()
      try model.save(directory.path)
      let saved = try SafetensorsFile(directory.path + "/model.safetensors")
      #expect(saved.entries.values.allSatisfy { $0.info.elementType == .float32 })
      #expect(try directory.json("config.json")["dtype"] == "float32")
      #expect(try Model.load(directory.path).bits == model.bits)
    }

    @Test func sftNeedsNoRewardsAndSamplesNothing() throws {
      var options = TrainingOptions(method: .sft)
      options.data = try dataset()
      options.promptsPerStep = 3
      options.optimizer.learningRate = .constant(1e-2)
      options.steps = 6
      let log = MetricsLog()
      try Trainer(Model.fixture("qwen3_moe"), options).run(observer: log)
      let losses = try log.steps.map { try $0.number("loss") }
      try #require(losses.count == 6)
      #expect(losses[4] + losses[5] < (losses[0] + losses[1]) / 2, "\(losses)")
      let metrics = try #require(log.steps.last)
      #expect(try metrics.number("moe/load_max_violation") >= 0)
      #expect(metrics["reward"] == nil && metrics["exploration"] == nil && metrics["groups/dropped"] == nil)
      #expect(log.sampledTokens == 0)
    }
  }
}

/// Keeps what a trainer tells.
final class MetricsLog: TrainingObserver {
  var steps: [Table] = []
  var sampledTokens = 0
  var ended = false

  /// The metrics as JSON, without times.
  var lines: [String] {
    get throws {
      try steps.map { metrics in
        var metrics = metrics
        metrics["step_time"] = nil
        return try JSON.print(.table(metrics))
      }
    }
  }

  func begins(_ trainer: Trainer) {}
  func sampled(tokens: Int) { sampledTokens += tokens }
  func stepped(_ metrics: Table) { steps.append(metrics) }
  func ends(_ trainer: Trainer) { ended = true }
}
