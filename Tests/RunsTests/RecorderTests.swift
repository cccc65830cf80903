import Alignment
import Data
import Foundation
import Runs
import Sampling
import TestSupport
import Testing
import Values

@Suite(.machine) struct RecorderTests {
  private static func options(_ directory: String?) throws -> TrainingOptions {
    var options = TrainingOptions(method: .grao)
    options.data = try Dataset(
      rows: (0..<6).map { row in
        Table([("prompt", .array([.integer(5 + row), 9])), ("reference", .array([.integer(60 - row)]))])
      }, source: "rows")
    options.rewards = [
      Reward("even") { sample in Double(sample.ids.count { $0 % 2 == 0 }) },
      Reward("short", weight: .linear(from: 1, to: 0)) { -Double($0.ids.count) },
    ]
    options.promptsPerStep = 2
    options.groupSize = 3
    options.sampling.maxNewTokens = 5
    options.optimizer.learningRate = .constant(1e-3)
    options.runDirectory = directory
    return options
  }

  private final class Watcher: ProgressReporter {
    var reports: [RunProgress] = []
    var finished = 0
    func report(_ progress: RunProgress) { reports.append(progress) }
    func clear() {}
    func finish() { finished += 1 }
  }

  /// The names that users' scripts and tools read.
  static let metrics = [
    "step", "loss", "grad_norm", "learning_rate", "reward", "reward_std", "rewards/even/mean", "rewards/even/std",
    "rewards/short/mean", "rewards/short/std", "frac_reward_zero_std", "entropy", "completions/mean_length",
    "completions/clipped_ratio", "num_tokens", "step_time", "objective/exploration", "objective/imitation",
    "objective/regularizer", "weights/exploration", "weights/imitation", "weights/regularizer", "weights/even",
    "weights/short", "moe/load_max_violation", "sampling/logprob_difference",
  ]

  @Test func aRunOnDisk() throws {
    let directory = TemporaryPath()
    let model = try Model.load(Fixtures.model("qwen3_moe"))
    let watcher = Watcher()
    let recorder = RunRecorder(progress: watcher, script: ("here/align.lua", Array("-- mine".utf8)))
    let trainer = try Trainer(model, Self.options(directory.path))
    let summary = try trainer.run(observer: recorder)
    recorder.finish()

    #expect(directory.names == ["align.lua", "metrics.jsonl", "model", "options.json"])
    #expect(try directory.text("align.lua") == "-- mine")
    #expect(try directory.json("options.json") == .table(trainer.options.record))
    #expect(try directory.json("options.json")["steps"] == nil)

    let lines = try directory.text("metrics.jsonl").split(separator: "\n")
    try #require(lines.count == 3)
    var tokens = 0
    for (index, line) in lines.enumerated() {
      let metrics = try JSON.parse(String(line), source: "metrics.jsonl")
      for name in Self.metrics { #expect(metrics[name]?.number?.isFinite == true, "\(name)") }
      #expect(metrics["step"] == .integer(index + 1))
      #expect(metrics["weights/short"] == .number([1, 0.5, 0][index]))
      #expect(metrics["learning_rate"] == 1e-3)
      #expect(try #require(metrics["num_tokens"]?.integer) > tokens)
      tokens = try #require(metrics["num_tokens"]?.integer)
    }
    #expect(summary["steps"] == 3)
    let last = try JSON.parse(String(try #require(lines.last)), source: "metrics.jsonl")
    #expect(last["loss"] == summary["loss"])

    let saved = try Model.load(directory.path + "/model")
    #expect(try saved.logits(.ids([5])).map(\.bitPattern) == model.logits(.ids([5])).map(\.bitPattern))
    let untrained = try Model.load(Fixtures.model("qwen3_moe"))
    #expect(try untrained.logits(.ids([5])) != model.logits(.ids([5])))

    #expect(watcher.reports.map(\.step) == [1, 2, 3] && watcher.reports.map(\.steps) == [3, 3, 3])
    #expect(watcher.reports.allSatisfy { $0.reward != nil && $0.loss != nil && ($0.tokensPerSecond ?? 0) > 0 })
    #expect(watcher.reports.last?.secondsLeft == 0 && watcher.finished == 1)
  }

  @Test func anotherRunIsRefusedBeforeAnythingHappens() throws {
    let directory = TemporaryPath()
    let recorder = RunRecorder(progress: nil)
    try Trainer(Model.load(Fixtures.model("llama")), Self.options(directory.path)).run(observer: recorder)
    let before = try directory.text("metrics.jsonl")
    let model = try Model.load(Fixtures.model("llama"))
    let trainer = try Trainer(model, Self.options(directory.path))
    let error = try #require(throws: GRAOError.self) { try trainer.run(observer: RunRecorder(progress: nil)) }
    #expect(
      error.message
        == "run directory \(directory.path): already holds a run; choose another run_dir, or remove it")
    #expect(try directory.text("metrics.jsonl") == before)
    #expect(trainer.state.step == 0)
    let untouched = try Model.load(Fixtures.model("llama"))
    #expect(try model.logits(.ids([5])) == untouched.logits(.ids([5])))
  }

  /// A run that is stopped has a line for each whole step, and no model that looks finished.
  @Test func aRunThatIsStopped() throws {
    struct Interrupt: Error {}
    let directory = TemporaryPath()
    var steps = 0
    let recorder = RunRecorder(progress: nil)
    var options = try Self.options(directory.path)
    options.onStep = { _ in
      steps += 1
      return true
    }
    let trainer = try Trainer(Model.load(Fixtures.model("llama")), options)
    trainer.checkInterrupt = { if steps == 2 { throw Interrupt() } }
    #expect(throws: Interrupt.self) { try trainer.run(observer: recorder) }
    #expect(try directory.text("metrics.jsonl").split(separator: "\n").count == 2)
    #expect(directory.names == ["metrics.jsonl", "options.json"])
    #expect(try recorder.interrupted() == directory.path + "/interrupted")
    #expect(directory.names == ["interrupted", "metrics.jsonl", "options.json"])
    let saved = try Model.load(directory.path + "/interrupted")
    #expect(try saved.logits(.ids([5])).map(\.bitPattern) == trainer.model.logits(.ids([5])).map(\.bitPattern))
  }

  /// A rollout's tokens count for all updates on it.
  @Test func speedOverSeveralUpdates() throws {
    let watcher = Watcher()
    var options = try Self.options(nil)
    options.ratio = RatioOptions()
    (options.iterations, options.steps) = (3, 6)
    let trainer = try Trainer(Model.load(Fixtures.model("llama")), options)
    try trainer.run(observer: RunRecorder(progress: watcher))
    let speeds = watcher.reports.map { $0.tokensPerSecond ?? 0 }
    #expect(speeds.count == 6 && speeds.allSatisfy { $0 > 0 })
    #expect(speeds[2] < speeds[1] && speeds[1] < speeds[0])
  }

  @Test func withoutADirectoryNothingIsWritten() throws {
    let watcher = Watcher()
    let recorder = RunRecorder(progress: watcher)
    try Trainer(Model.load(Fixtures.model("llama")), Self.options(nil)).run(observer: recorder)
    #expect(watcher.reports.count == 3)
  }
}
