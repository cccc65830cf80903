import Alignment
import Kernels
import Models
import Sampling
import TestSupport
import Testing
import Values

extension TrainerSuite {
  /// How a step is cut into passes, and what passes keep.
  @Suite struct Memory {
    /// The weights after steps are the same bits, the critic's too, whether activations are kept or computed again.
    @Test(arguments: ["llama", "qwen3_moe"], [false, true])
    func recomputingChangesNothing(_ name: String, hasCritic: Bool) throws {
      let weights = try [false, true].map { recomputes in
        var options = TrainingOptions(method: hasCritic ? .ppo : .grao)
        options.rewards = [evenShare]
        options.promptsPerStep = 3
        options.groupSize = 3
        options.sampling.maxNewTokens = 5
        options.optimizer.learningRate = .constant(1e-3)
        options.steps = 2
        options.data = try dataset()
        options.microBatchTokens = 40
        options.recomputes = recomputes
        let model = try Model.fixture(name)
        try Trainer(model, options).run()
        return model.bits
      }
      let same = weights[0] == weights[1]
      #expect(same)
      let moved = weights[0] != (try Model.fixture(name).bits)
      #expect(moved)
    }

    /// The weights after a run by hand are the same bits whether updates take what sampling has computed or compute it
    /// again.
    @Test(arguments: [Method.grao, .grpo, .ppo], [20, 60, 2048])
    func takingActivationsChangesNothing(_ method: Method, _ microBatchTokens: Int) throws {
      let weights = try [true, false].map { takes in
        var options = TrainingOptions(method: method)
        options.rewards = [evenShare]
        options.groupSize = 4
        options.sampling.maxNewTokens = 8
        options.optimizer.learningRate = .constant(1e-3)
        options.microBatchTokens = microBatchTokens
        options.routers.auxiliaryLossCoefficient = 0.1
        let model = try Model.fixture("qwen3_moe")
        let trainer = try Trainer(model, options)
        for _ in 0..<3 {
          let groups = try trainer.rollout(rows(4))
          #expect(model.network.activations != nil)
          if !takes { model.network.dropActivations() }
          _ = try trainer.step(groups)
          #expect(model.network.activations == nil)
        }
        return model.bits
      }
      let same = weights[0] == weights[1]
      #expect(same)
    }

    @Test func passesAreFewAndEven() {
      #expect(PassDivision.passes(ofRows: [514, 514, 514, 514], bound: 2048) == [0..<2, 2..<4])
      #expect(PassDivision.passes(ofRows: [514, 514, 514, 514], bound: 2056) == [0..<4])
      #expect(PassDivision.passes(ofRows: [], bound: 7) == [])
      #expect(PassDivision.passes(ofRows: [9, 1, 1, 9, 2], bound: 4) == [0..<1, 1..<3, 3..<4, 4..<5])
      #expect(PassDivision.passes(ofRows: [3, 3, 3], bound: 1) == [0..<1, 1..<2, 2..<3])
    }

    /// Against every division into runs.
    @Test func noDivisionIsBetter() {
      var stream = RandomStream(seed: 5)
      for _ in 0..<200 {
        let rows = (0..<Int(1 + stream.uniform() * 7)).map { _ in Int(1 + stream.uniform() * 20) }
        let bound = Int(1 + stream.uniform() * 40)
        func cost(_ passes: [Range<Int>]) -> (count: Int, largest: Int) {
          (passes.count, passes.map { rows[$0].reduce(0, +) }.max() ?? 0)
        }
        let passes = PassDivision.passes(ofRows: rows, bound: bound)
        #expect(passes.flatMap { Array($0) } == Array(rows.indices))
        #expect(passes.allSatisfy { $0.count == 1 || rows[$0].reduce(0, +) <= bound })
        let all = (0..<1 << (rows.count - 1)).map { (cuts: Int) -> [Range<Int>] in
          var passes = [0..<1]
          for index in rows.indices.dropFirst() {
            if cuts >> (index - 1) & 1 == 1 {
              passes.append(index..<index + 1)
            } else {
              passes[passes.count - 1] = passes[passes.count - 1].lowerBound..<index + 1
            }
          }
          return passes
        }.filter { $0.allSatisfy { $0.count == 1 || rows[$0].reduce(0, +) <= bound } }
        let best = all.map(cost).min { $0 < $1 } ?? (0, 0)
        #expect(cost(passes) == best)
      }
    }

    /// With moments in bfloat16 a short training ends where float32's does: each loss is float32's to a small part of what
    /// training gains. Its bits depend on no thread.
    @Test(arguments: TrainerSuite.models) func momentsInBFloat16Train(_ name: String) throws {
      let groups = rows(12).map { row in
        Group(
          prompt: row["prompt"]?.array?.compactMap(\.integer).map(Int32.init) ?? [],
          reference: row["reference"]?.array?.compactMap(\.integer).map(Int32.init))
      }
      func train(_ type: ComputeType, threads: Int = 2) throws -> (losses: [Double], bits: [[UInt32]]) {
        let before = Machine.threads
        defer { Machine.threads = before }
        Machine.threads = threads
        let model = try Model.fixture(name)
        var options = TrainingOptions(method: .sft)
        options.optimizer.learningRate = .constant(3e-3)
        options.optimizer.stateType = type
        let trainer = try Trainer(model, options)
        return (try (0..<60).map { _ in try trainer.step(groups).number("loss") }, model.bits)
      }
      let (single, half) = (try train(.float32), try train(.bfloat16))
      let gain = try #require(single.losses.first) - (try #require(single.losses.last))
      #expect(gain > 1)
      for (a, b) in zip(single.losses, half.losses) { #expect(abs(a - b) < 0.03 * gain) }
      #expect(single.losses[1] == half.losses[1], "the first update does not see the rounding")
      #expect(single.losses != half.losses)
      let same = try train(.bfloat16, threads: 1).bits == half.bits
      #expect(same)
    }
  }
}
