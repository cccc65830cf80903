import Alignment
import Data
import Models
import Sampling
import TestSupport
import Testing
import Values

extension TrainerSuite {
  /// Options as scripts give them.
  @Suite struct Options {
    private final class Function: RewardScorer, Curriculum, ScheduleSource, StepCallback {
      func score(_ samples: [RewardSample]) -> [Result<RewardScore, any Error>] {
        samples.map { _ in .success(RewardScore(1)) }
      }
      func weights(of rows: [Table], at state: ScheduleState) -> [Double] { rows.map { _ in 1 } }
      var schedule: Schedule { .linear(from: 1, to: 0) }
      func call(_ state: ScheduleState) -> Bool { false }
    }

    private static func table(_ changes: KeyValuePairs<String, Value>) throws -> Table {
      var table = Table([("model", .object(try Model.fixture("llama"))), ("method", "grao")])
      for (key, value) in changes { table[key] = value }
      return table
    }

    private static func failure(_ changes: KeyValuePairs<String, Value>) throws -> String {
      try message { try TrainingOptions.read(table(changes)) }
    }

    @Test func thePapersDefaults() throws {
      let options = try TrainingOptions.read(Self.table([:])).options
      let expected = TrainingOptions(method: .grao)
      #expect(try JSON.print(.table(options.record)) == JSON.print(.table(expected.record)))
      #expect(options.promptsPerStep == 64 && options.groupSize == 8 && options.seed == 0 && options.steps == nil)
      #expect(options.sampling.temperature == 0.7 && options.sampling.maxNewTokens == 2048)
      #expect(options.sampling.topK == 0 && options.sampling.topP == 1 && options.sampling.minP == 0)
      #expect(options.optimizer.learningRate.description == 1e-6 && options.optimizer.weightDecay == 0.01)
      #expect(options.optimizer.betas == (0.9, 0.999) && options.optimizer.epsilon == 1e-8)
      #expect(options.optimizer.maxGradNorm == 1 && options.logprobTemperature == 1)
      #expect(options.weights.exploration.description == 1 && options.weights.imitation.description == 0.5)
      #expect(options.weights.regularizer.description == 0.6)
      #expect(options.advantage == AdvantageOptions() && options.normalization == .sequence)
    }

    @Test func everyOptionArrives() throws {
      let function = Function()
      let data = try dataset()
      let (model, options) = try TrainingOptions.read(
        Self.table([
          "data": .object(data),
          "rewards": [.object(function), ["name": "b", "score": .object(function), "weight": 2]],
          "on_reward_error": "skip", "weights": ["imitation": .object(function), "regularizer": 0],
          "curriculum": .object(function), "advantage": ["group": "samples", "scale": "none", "epsilon": 0.5],
          "prompts_per_step": 3, "group_size": 4, "max_new_tokens": 5, "temperature": 0.25, "top_k": 6, "top_p": 0.5,
          "min_p": 0.125, "stop": ["a", "b"], "logprob_temperature": 2, "micro_batch_tokens": 7, "steps": 8,
          "seed": -1, "on_step": .object(function), "eval_data": .object(data), "eval_every": 9, "run_dir": "runs/a",
          "optimizer": [
            "learning_rate": .object(function), "betas": [0.5, 0.75], "eps": 1e-3, "weight_decay": 0,
            "max_grad_norm": 0,
          ],
        ]))
      #expect(model.architecture == "llama")
      #expect(try options.onStep?(ScheduleState(step: 1, steps: 1)) == false)
      #expect(options.seed == .max)
      #expect(options.curriculum === function && options.data === data && options.evaluationData === data)
      // What the run's record says, as JSON and back.
      let record = try JSON.parse(JSON.print(.table(options.record)), source: "record")
      let linear: Value = ["schedule": "linear", "from": 1, "to": 0]
      #expect(
        record == [
          "method": "grao", "data": "rows (6 rows)",
          "rewards": [["name": "reward1", "weight": 1], ["name": "b", "weight": 2]], "on_reward_error": "skip",
          "weights": ["exploration": 1, "imitation": linear, "regularizer": 0],
          "advantage": ["group": "samples", "scale": "none", "epsilon": 0.5], "curriculum": "function",
          "normalization": "sequence", "prompts_per_step": 3, "group_size": 4, "max_new_tokens": 5,
          "temperature": 0.25, "top_k": 6, "top_p": 0.5, "min_p": 0.125, "stop": ["a", "b"], "logprob_temperature": 2,
          "optimizer": [
            "learning_rate": linear, "betas": [0.5, 0.75], "eps": 1e-3, "weight_decay": 0, "max_grad_norm": 0,
          ],
          "micro_batch_tokens": 7, "steps": 8, "seed": -1, "eval_data": "rows (6 rows)", "eval_every": 9,
          "run_dir": "runs/a",
        ])
    }

    @Test func unknownNames() throws {
      #expect(try Self.failure(["learning_rate": 1]).hasPrefix("grao.train: unknown option 'learning_rate'"))
      #expect(
        try Self.failure(["group_sise": 4])
          == "grao.train: unknown option 'group_sise' (did you mean 'group_size'?)")
      #expect(
        try Self.failure(["optimizer": ["learning_rates": 1]])
          == "grao.train: unknown option 'optimizer.learning_rates' (did you mean 'learning_rate'?)")
      #expect(
        try Self.failure(["weights": ["beta": 1]])
          == "grao.train: unknown option 'weights.beta'; the options are exploration, imitation, regularizer")
      #expect(
        try Self.failure(["rewards": [["score": .object(Function()), "wieght": 1]]])
          == "grao.train: rewards[1]: unknown option 'wieght' (did you mean 'weight'?)")
    }

    @Test func wrongTypesAndRanges() throws {
      let cases: [(KeyValuePairs<String, Value>, String)] = [
        (["group_size": "8"], "option 'group_size' must be an integer, not a string"),
        (["group_size": 0], "option 'group_size' must be between 1 and 1048576, not 0"),
        (["steps": 1.5], "option 'steps' must be an integer, not 1.5"),
        (["temperature": -1], "option 'temperature' must be at least 0, not -1"),
        (["top_p": 2], "option 'top_p' must be between 0 and 1, not 2"),
        (["data": "rows.jsonl"], "option 'data' must be a dataset, not a string"),
        (["model": 1], "option 'model' must be a model, not 1"),
        (["model": .object(Function())], "option 'model' must be a model, not a Function"),
        (["data": .object(Function())], "option 'data' must be a dataset, not a Function"),
        (["rewards": [1]], "option 'rewards[1]' must be a function, a reward plugin or a table, not an integer"),
        (
          ["rewards": [["name": "a"]]],
          "rewards[1]: option 'score' is missing: a function or a reward plugin is required"
        ),
        (["optimizer": ["betas": [0.9]]], "option 'optimizer.betas' must have 2 elements, not 1"),
        (["optimizer": ["betas": [0.9, 1]]], "option 'optimizer.betas[2]' must be between 0 and 0.999999999, not 1"),
        (
          ["optimizer": ["learning_rate": "fast"]],
          "option 'optimizer.learning_rate' must be a number or a schedule, not a string"
        ),
        (
          ["advantage": ["group": "all"]],
          "option 'advantage.group' must be one of 'with_reference', 'samples', not 'all'"
        ),
        (["on_reward_error": "zero"], "option 'on_reward_error' must be one of 'stop', 'skip', not 'zero'"),
        (["stop": ""], "option 'stop' must not hold an empty string"),
        (["method": .null], "option 'method' is missing: a string is required"),
        (["eval_every": 2], "option 'eval_every' needs option 'eval_data'"),
      ]
      for (changes, expected) in cases {
        #expect(try Self.failure(changes).replacing("grao.train: ", with: "") == expected)
      }
    }

    @Test func whatThisVersionLacks() throws {
      for method in ["dpo", "ppo", "grpo"] {
        #expect(
          try Self.failure(["method": .string(method)])
            == "grao.train: option 'method' '\(method)' is not in this version, which has 'sft' and 'grao'")
      }
      #expect(
        try Self.failure(["method": "gro"]) == "grao.train: option 'method' must be 'sft' or 'grao', not 'gro'")
      let words = "is not supported by this version of the engine"
      let cases: [(KeyValuePairs<String, Value>, String)] = [
        (["kl": ["coefficient": 0.1]], "kl.coefficient"), (["moe": ["freeze_router": true]], "moe.freeze_router"),
        (["moe": ["aux_loss_coefficient": 0.1]], "moe.aux_loss_coefficient"),
        (["moe": ["z_loss_coefficient": 0.1]], "moe.z_loss_coefficient"), (["checkpoint_every": 5], "checkpoint_every"),
        (["resume": true], "resume"),
      ]
      for (changes, name) in cases {
        #expect(try Self.failure(changes) == "grao.train: option '\(name)' \(words)")
      }
      // Their neutral values are fine.
      _ = try TrainingOptions.read(
        Self.table(["kl": ["coefficient": 0], "moe": ["freeze_router": false], "resume": false, "clip": ["low": 0.1]]))
    }

    @Test func combinations() throws {
      #expect(
        try Self.failure(["normalization": "token"])
          == "grao.train: option 'normalization' must be \"sequence\" with method grao")
      _ = try TrainingOptions.read(Self.table(["normalization": "token", "method": "sft"]))
      let function = Value.object(Function())
      #expect(
        try Self.failure(["rewards": [["name": "a", "score": function], ["name": "a", "score": function]]])
          == "grao.train: option 'rewards' has two rewards named 'a'")
      #expect(
        try Self.failure(["rewards": [["name": "reward2", "score": function], function]])
          == "grao.train: option 'rewards' has two rewards named 'reward2'")
      // Options made in Swift are held to the same.
      let model = try Model.fixture("llama")
      let twice = try graoOptions([evenShare, evenShare])
      #expect(try message { try Trainer(model, twice) }.contains("two rewards named 'even'"))
      for change: (inout TrainingOptions) -> Void in [
        { $0.promptsPerStep = 0 }, { $0.groupSize = 0 }, { $0.microBatchTokens = 0 }, { $0.steps = 0 },
        { $0.logprobTemperature = 0 }, { $0.sampling.maxNewTokens = 0 }, { $0.sampling.temperature = -1 },
        { $0.evaluateEvery = 0 },
      ] {
        var options = try graoOptions()
        change(&options)
        #expect(throws: GRAOError.self) { try Trainer(model, options) }
      }
    }
  }
}
