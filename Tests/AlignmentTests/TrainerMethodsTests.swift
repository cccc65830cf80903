import Alignment
import Data
import Foundation
import Kernels
import Models
import Sampling
import TestSupport
import Testing
import Values

/// Rows of ids with a chosen and a rejected response.
private func preferences(_ count: Int = 6) -> [Table] {
  rows(count).enumerated().map { index, row in
    var row = row
    row["chosen"] = row["reference"]
    row["rejected"] = [.integer(5 + index), .integer(80 - index)]
    row["reference"] = nil
    return row
  }
}

/// A frozen copy of a model, kept beside its training.
private struct ReferenceModelProbe {
  private let network: Network
  init(_ model: Model) { network = model.network.frozen() }
  func logits() -> [Float] { network.logits(after: [3, 4, 5]) }
}

private func options(
  _ method: Method, _ change: (inout TrainingOptions) throws -> Void = { _ in }
) throws -> TrainingOptions {
  var options = TrainingOptions(method: method)
  options.promptsPerStep = 3
  options.groupSize = 4
  options.sampling.maxNewTokens = 6
  options.optimizer.learningRate = .constant(3e-3)
  options.steps = 4
  options.seed = 11
  if method != .dpo { options.rewards = [evenShare] }
  options.data = try Dataset(rows: method == .dpo ? preferences() : rows(), source: "rows")
  try change(&options)
  return options
}

/// Every step's metrics.
private final class Steps: TrainingObserver {
  var metrics: [Table] = []
  func begins(_ trainer: Trainer) {}
  func stepped(_ metrics: Table) { self.metrics.append(metrics) }
  func ends(_ trainer: Trainer) {}
}

private func steps(_ model: Model, _ options: TrainingOptions) throws -> [Table] {
  let observer = Steps()
  try Trainer(model, options).run(observer: observer)
  return observer.metrics
}

extension TrainerSuite {
  @Suite struct Methods {
    // MARK: dpo

    /// At the first step the policy is its own reference: every margin is exactly 0.
    @Test(arguments: TrainerSuite.models) func dpoLearnsToPrefer(_ name: String) throws {
      let metrics = try steps(Model.fixture(name), options(.dpo) { $0.steps = 6 })
      #expect(try metrics[0].number("loss") == log(2) && metrics[0].number("rewards/margins") == 0)
      #expect(try metrics[0].number("rewards/accuracies") == 0)
      #expect(try metrics[5].number("loss") < log(2) && metrics[5].number("rewards/margins") > 0)
      #expect(try metrics[5].number("rewards/accuracies") == 1)
    }

    @Test(arguments: DPOOptions.Loss.allCases) func everyPreferenceLossFalls(_ loss: DPOOptions.Loss) throws {
      let model = try Model.fixture("llama")
      let metrics = try steps(
        model,
        options(.dpo) {
          $0.preference = .pairs(DPOOptions(loss: loss, beta: 1))
          $0.promptsPerStep = 6
          $0.steps = 8
          $0.optimizer.learningRate = .constant(1e-3)
        })
      #expect(try metrics[7].number("loss") < metrics[0].number("loss"))
      #expect(try metrics[7].number("rewards/margins") > metrics[0].number("rewards/margins"))
    }

    @Test func ktoTakesOneResponseOrBoth() throws {
      var rows = preferences()
      rows[0]["rejected"] = nil
      rows[1]["chosen"] = nil
      let metrics = try steps(
        Model.fixture("llama"),
        options(.dpo) {
          $0.preference = .responses(KTOOptions(beta: 1))
          $0.data = try Dataset(rows: rows, source: "rows")
          $0.promptsPerStep = 6
          $0.steps = 8
        })
      // Every r is 0 at first: 1 − σ(0).
      #expect(try metrics[0].number("loss") == 0.5 && metrics[0].number("kl") == 0)
      #expect(try metrics[7].number("loss") < 0.5)
      #expect(try metrics[7].number("rewards/chosen") > metrics[7].number("rewards/rejected"))
      let alone = try options(.dpo) {
        $0.preference = .responses(KTOOptions())
        $0.promptsPerStep = 1
      }
      #expect(try message { try Trainer(Model.fixture("llama"), alone).run() }.contains("2 groups or more"))
    }

    @Test func dpoByHandIsDPOByRows() throws {
      let (byRows, byHand) = (try Model.fixture("llama"), try Model.fixture("llama"))
      let options = try options(.dpo) { $0.promptsPerStep = 6 }
      let trainer = try Trainer(byRows, options)
      let metrics = try trainer.step(trainer.rollout(preferences()))
      let groups = preferences().map { row in
        var group = Group(prompt: row["prompt"]?.array?.compactMap { $0.integer.map { Int32($0) } } ?? [])
        func ids(_ column: String) -> EncodedResponse {
          EncodedResponse(ids: row[column]?.array?.compactMap { $0.integer.map { Int32($0) } } ?? [])
        }
        (group.chosen, group.rejected) = (ids("chosen"), ids("rejected"))
        return group
      }
      let same = try Trainer(byHand, options).step(groups)
      #expect(try metrics.number("loss") == same.number("loss"))
      #expect(byRows.bits == byHand.bits)
    }

    @Test func whatAPairLacksIsSaid() throws {
      var rows = preferences(2)
      rows[1]["rejected"] = nil
      let trainer = try Trainer(Model.fixture("llama"), options(.dpo))
      #expect(
        try message { try trainer.rollout(rows) } == "row 2: method 'dpo' needs the columns 'chosen' and 'rejected'")
      var group = Group(prompt: [1])
      group.rejected = EncodedResponse(ids: [2])
      #expect(
        try message { try trainer.step([group]) }
          == "group 1: method 'dpo' needs a pair of responses, but the group has no 'chosen'")
      group.chosen = EncodedResponse(ids: [2, 3], mask: [true])
      #expect(try message { try trainer.step([group]) } == "group 1: the chosen has 2 ids but 1 chosen_mask")
    }

    // MARK: The frozen reference

    @Test func theReferenceSharesTheWeightsUntilTheyChange() throws {
      let model = try Model.fixture("llama")
      #expect(!model.network.parameters.sharesValues)
      let trainer = try Trainer(model, options(.dpo))
      #expect(model.network.parameters.sharesValues)
      _ = try trainer.step(trainer.rollout(preferences(2)))
      #expect(!model.network.parameters.sharesValues)
      // Without a reference model nothing is shared.
      let other = try Model.fixture("llama")
      let free = try options(.dpo) { $0.preference = .pairs(DPOOptions(loss: .simpo)) }
      let plain = try Trainer(other, free)
      #expect(!other.network.parameters.sharesValues)
      withExtendedLifetime((trainer, plain)) {}
    }

    @Test(arguments: TrainerSuite.models) func theKLIsToTheInitialPolicy(_ name: String) throws {
      let metrics = try steps(Model.fixture(name), options(.grpo) { $0.kl.coefficient = .linear(from: 0.5, to: 0.1) })
      #expect(try metrics[0].number("kl") == 0 && metrics[1].number("kl") > 0)
      #expect(try metrics[3].number("kl") > metrics[1].number("kl"))
      #expect(try metrics[0].number("weights/kl") == 0.5 && metrics[3].number("weights/kl") == 0.1)
    }

    @Test func aSynchronizedReferenceFollows() throws {
      let metrics = try steps(
        Model.fixture("llama"),
        options(.grpo) {
          $0.kl.coefficient = .constant(0.1)
          $0.kl.syncEvery = 2
          $0.kl.mixup = 1
        })
      #expect(try metrics[1].number("kl") > 0 && metrics[2].number("kl") == 0 && metrics[3].number("kl") > 0)
      // Half way: the reference is neither of the two.
      let mixed = try steps(
        Model.fixture("llama"),
        options(.grpo) {
          $0.kl.coefficient = .constant(0.1)
          $0.kl.syncEvery = 2
          $0.kl.mixup = 0.5
        })
      #expect(try mixed[2].number("kl") > 0)
      #expect(try mixed[1].number("kl") == metrics[1].number("kl"))
    }

    /// A bfloat16 model shares what its products read, and has masters of its own once it trains.
    @Test(arguments: ["llama", "qwen3_moe"]) func referencesOfBFloat16Models(_ name: String) throws {
      func model() throws -> Model { try Model.load(Fixtures.model(name), computeType: .bfloat16) }
      let policy = try model()
      let frozen = ReferenceModelProbe(policy)
      let metrics = try steps(policy, options(.dpo))
      #expect(try metrics[0].number("loss") == log(2) && metrics[3].number("loss") < log(2))
      #expect(try frozen.logits() == model().logits(.ids([3, 4, 5])))
      #expect(try policy.logits(.ids([3, 4, 5])) != model().logits(.ids([3, 4, 5])))
      // Following it wholly, and half way.
      for (mixup, follows) in [(1.0, true), (0.5, false)] {
        let metrics = try steps(
          model(),
          options(.grpo) {
            $0.kl.coefficient = .constant(0.1)
            $0.kl.syncEvery = 2
            $0.kl.mixup = mixup
            $0.optimizer.learningRate = .constant(0.03)
          })
        #expect(try metrics[0].number("kl") == 0 && metrics[1].number("kl") > 0)
        #expect((try metrics[2].number("kl") == 0) == follows)
      }
      let ppo = try options(.ppo) {
        $0.ppo.critic = .separate
        $0.kl.coefficient = .constant(0.1)
      }
      #expect(try steps(model(), ppo).count == 4)
    }

    // MARK: Several updates on a rollout

    @Test(arguments: TrainerSuite.models) func updatesOnOneRollout(_ name: String) throws {
      let model = try Model.fixture(name)
      let options = try options(.grpo) {
        $0.iterations = 2
        $0.miniBatches = 3
        $0.steps = 12
        $0.optimizer.learningRate = .constant(0.03)
      }
      let metrics = try steps(model, options)
      #expect(metrics.count == 12)
      for (index, step) in metrics.enumerated() {
        #expect(step["step"] == .integer(index + 1))
        // The sampler is the trainer: nothing lies between them as long as the weights are the same.
        #expect((step["sampling/logprob_difference"] == 0) == (index % 6 == 0))
        #expect(step["num_tokens"] == metrics[index / 6 * 6]["num_tokens"])
        #expect(step["reward"] == metrics[index / 6 * 6]["reward"])
      }
      #expect(try metrics[0].number("clip_ratio/region_mean") == 0)
      #expect(try metrics.contains { try $0.number("clip_ratio/region_mean") > 0 })
    }

    /// An epoch without `steps` takes each row once, in as many updates as there are.
    @Test func anEpochOfSeveralUpdates() throws {
      let options = try options(.grpo) {
        $0.iterations = 2
        $0.steps = nil
        $0.data = try dataset(7)
      }
      let observer = Steps()
      let trainer = try Trainer(Model.fixture("llama"), options)
      try trainer.run(observer: observer)
      #expect(observer.metrics.count == 6)
      #expect(trainer.state.history.values.map(\.seen) == Array(repeating: 1, count: 7))
    }

    @Test func graoWithARatioIsGRAOOnPolicy() throws {
      let (linear, ratio) = (try Model.fixture("llama"), try Model.fixture("llama"))
      let change: (inout TrainingOptions) -> Void = { $0.steps = 1 }
      let a = try steps(linear, options(.grao, change))
      let b = try steps(
        ratio,
        options(.grao) {
          change(&$0)
          $0.ratio = RatioOptions()
        })
      let (norm, same) = (try a[0].number("grad_norm"), try b[0].number("grad_norm"))
      #expect(abs(norm - same) < 1e-6 * norm)
    }

    // MARK: Which groups and completions teach

    @Test func groupsWithoutVarianceAreDrawnAnew() throws {
      // Rows with an odd number earn the same reward for every sample.
      let mixed = Reward("mixed") { sample in
        (sample.row["number"]?.integer ?? 0) % 2 == 1 ? 1 : Double(sample.ids.count { $0 % 2 == 0 })
      }
      func metrics(_ rounds: Int) throws -> [Table] {
        try steps(
          Model.fixture("llama"),
          options(.grpo) {
            $0.rewards = [mixed]
            $0.resampleRounds = rounds
            $0.data = try dataset(40)
            $0.promptsPerStep = 6
          })
      }
      let (kept, drawn) = (try metrics(0), try metrics(20))
      #expect(try kept.contains { try $0.number("frac_reward_zero_std") > 0 })
      #expect(try drawn.allSatisfy { try $0.number("frac_reward_zero_std") == 0 })
      #expect(try drawn.allSatisfy { try $0.number("completions/mean_length") > 0 })
    }

    /// With a curriculum too, what is drawn anew are other rows.
    @Test func rowsOfACurriculumAreDrawnAnewOnce() throws {
      var asked: [Int] = []
      let level = Reward("level") { sample in
        if sample.isReference { asked.append(sample.row["number"]?.integer ?? -1) }
        return 1
      }
      let options = try options(.grao) {
        $0.rewards = [level]
        $0.resampleRounds = 3
        $0.data = try dataset(40)
        $0.steps = 1
        $0.promptsPerStep = 6
        // What a row has been drawn for changes its weight, and with it the order.
        $0.curriculum = ClosureCurriculum { row, _ in 1 + 5 * Double(row["seen"]?.integer ?? 0) }
      }
      try Trainer(Model.fixture("llama"), options).run()
      #expect(asked.count == 24 && Set(asked).count == 24)
    }

    @Test func truncatedCompletionsAreMasked() throws {
      let model = try Model.fixture("llama")
      let before = model.bits
      let options = try options(.grpo) {
        $0.masksTruncated = true
        $0.optimizer.weightDecay = 0
      }
      let trainer = try Trainer(model, options)
      func group(_ reason: FinishReason) -> Group {
        let samples = [Double(0), 1].map { reward in
          var sample = Group.Sample(ids: [7, Int32(8 + reward)], reward: reward)
          sample.finishReason = reason
          return sample
        }
        return Group(prompt: [3, 4], samples: samples)
      }
      let masked = try trainer.step([group(.length)])
      #expect(try masked.number("grad_norm") == 0)
      #expect(masked["critic_grad_norm"] == nil)
      #expect(model.bits == before)
      #expect(try trainer.step([group(.stop)]).number("grad_norm") > 0)
    }

    /// grpo scores no reference, though the row has one.
    @Test func grpoLeavesTheReferenceAlone() throws {
      let noReference = Reward("even") { sample in
        if sample.isReference { throw GRAOError("scored") }
        return sample.reference == nil && sample.row["reference"] == nil ? nil : Double(sample.ids[0] % 3)
      }
      let metrics = try steps(Model.fixture("llama"), options(.grpo) { $0.rewards = [noReference] })
      #expect(metrics.count == 4 && metrics[0]["reference_reward"] == nil)
    }

    @Test(arguments: [Method.dpo, .grpo]) func theSameBytesWithAnyThreads(_ method: Method) throws {
      func bits(_ threads: Int) throws -> [[UInt32]] {
        let before = Machine.threads
        defer { Machine.threads = before }
        Machine.threads = threads
        let model = try Model.fixture("qwen3_moe")
        _ = try steps(
          model,
          options(method) {
            if method == .grpo { $0.kl.coefficient = .constant(0.1) }
            $0.microBatchTokens = 24
          })
        return model.bits
      }
      let one = try bits(1)
      #expect(try bits(2) == one && bits(5) == one)
    }
  }
}
