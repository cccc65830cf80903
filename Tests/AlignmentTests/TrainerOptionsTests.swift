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
      #expect(options.optimizer.maxGradNorm == 1 && options.logprobTemperature == nil)
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
          "ratio": ["level": "sequence"], "clip": ["high": 0.3], "mask_truncated_completions": true,
          "resample_rounds": 2, "num_iterations": 3, "num_mini_batches": 2,
          "prompts_per_step": 3, "group_size": 4, "max_new_tokens": 5, "temperature": 0.25, "top_k": 6, "top_p": 0.5,
          "min_p": 0.125, "stop": ["a", "b"], "logprob_temperature": 2, "micro_batch_tokens": 7,
          "recompute": true, "steps": 8,
          "moe": ["aux_loss_coefficient": 0.5, "bias_update_speed": 0.125, "freeze_router": true],
          "seed": -1, "on_step": .object(function), "eval_data": .object(data), "eval_every": 9, "run_dir": "runs/a",
          "optimizer": [
            "learning_rate": .object(function), "betas": [0.5, 0.75], "eps": 1e-3, "weight_decay": 0,
            "max_grad_norm": 0, "state_dtype": "bfloat16",
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
          "reward_aggregation": "sum_then_normalize",
          "advantage": ["group": "samples", "baseline": "mean", "scale": "none", "epsilon": 0.5],
          "ratio": ["level": "sequence", "form": "clipped"], "clip": ["low": 0.2, "high": 0.3],
          "mask_truncated_completions": true, "resample_rounds": 2, "num_iterations": 3, "num_mini_batches": 2,
          "curriculum": "function",
          "normalization": "sequence", "prompts_per_step": 3, "group_size": 4, "max_new_tokens": 5,
          "temperature": 0.25, "top_k": 6, "top_p": 0.5, "min_p": 0.125, "stop": ["a", "b"], "logprob_temperature": 2,
          "optimizer": [
            "learning_rate": linear, "betas": [0.5, 0.75], "eps": 1e-3, "weight_decay": 0, "max_grad_norm": 0,
            "state_dtype": "bfloat16",
          ],
          "moe": [
            "aux_loss_coefficient": 0.5, "z_loss_coefficient": 0, "bias_update_speed": 0.125, "freeze_router": true,
          ],
          "micro_batch_tokens": 7, "recompute": true, "steps": 8, "seed": -1, "eval_data": "rows (6 rows)",
          "eval_every": 9, "run_dir": "runs/a",
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
        (["method": .null], "option 'method' is missing: a string or an objective of your own is required"),
        (["eval_every": 2], "option 'eval_every' needs option 'eval_data'"),
        (["ppo": ["gamma": 0.9]], "option 'ppo' needs method ppo, not grao"),
        (["reward_model": Value.table(Table())], "option 'reward_model' needs method reward, not grao"),
      ]
      for (changes, expected) in cases {
        #expect(try Self.failure(changes).replacing("grao.train: ", with: "") == expected)
      }
    }

    @Test func whatThisVersionLacks() throws {
      let known = "'sft', 'dpo', 'grpo', 'ppo', 'reward', 'grao'"
      #expect(
        try Self.failure(["method": "gro"]) == "grao.train: option 'method' must be one of \(known), not 'gro'")
      let words = "is not supported by this version of the engine"
      let cases: [(KeyValuePairs<String, Value>, String)] = [
        (["checkpoint_every": 5], "checkpoint_every"), (["resume": true], "resume"),
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
        { $0.evaluateEvery = 0 }, { $0.iterations = 0 }, { $0.miniBatches = 0 }, { $0.iterations = 2 },
        { $0.kl.coefficient = .constant(0.1) }, { $0.normalization = .token }, { $0.miniBatches = 3 },
      ] {
        var options = try graoOptions()
        change(&options)
        #expect(throws: GRAOError.self) { try Trainer(model, options) }
      }
    }

    // MARK: Methods

    @Test func theMethodsOwnDefaults() throws {
      let grpo = try TrainingOptions.read(Self.table(["method": "grpo"])).options
      #expect(grpo.advantage.group == .samples && grpo.ratio == RatioOptions() && grpo.kl.syncEvery == nil)
      #expect(
        grpo.record["logprob_temperature"] == .number(Double(Float(0.7))) && grpo.record["kl"]?["coefficient"] == 0)
      let dpo = try TrainingOptions.read(Self.table(["method": "dpo"])).options
      #expect(dpo.preference == .pairs(DPOOptions()) && dpo.record["logprob_temperature"] == 1)
      #expect(dpo.record["dpo"] == ["loss": "sigmoid", "beta": 0.1, "label_smoothing": 0])
      #expect(dpo.record["ratio"] == nil && dpo.record["advantage"] == nil)
    }

    @Test func presetsAreValuesOfOptions() throws {
      func read(_ preset: String, _ changes: KeyValuePairs<String, Value> = [:]) throws -> TrainingOptions {
        var table = try Self.table(["method": "grpo", "preset": .string(preset)])
        for (key, value) in changes { table[key] = value }
        return try TrainingOptions.read(table).options
      }
      #expect(try read("dr_grpo").advantage.scale == .none && read("dr_grpo").normalization == .constant)
      let dapo = try read("dapo")
      #expect(dapo.ratio == RatioOptions(low: 0.2, high: 0.28) && dapo.normalization == .token)
      #expect(dapo.masksTruncated && dapo.resampleRounds == 4)
      #expect(try read("gspo").ratio == RatioOptions(level: .sequence, low: 3e-4, high: 4e-4))
      #expect(try read("cispo").ratio == RatioOptions(form: .cispo, low: 1, high: 4))
      #expect(try read("rloo").advantage == AdvantageOptions(group: .samples, baseline: .leaveOneOut, scale: .none))
      #expect(try read("reinforce").advantage.baseline == .none)
      // One's own options stand, also inside of a table.
      let own = try read("dapo", ["clip": ["high": 0.5], "resample_rounds": 0])
      #expect(own.ratio == RatioOptions(low: 0.2, high: 0.5) && own.resampleRounds == 0 && own.masksTruncated)
      #expect(
        try Self.failure(["preset": "dapo"]) == "grao.train: option 'preset' is 'dapo', a variant of method grpo")
      #expect(try Self.failure(["method": "grpo", "preset": "dapi"]).contains("must be one of 'dr_grpo', 'dapo'"))
      #expect(try message { try read("dapo", ["clip": 3]) }.contains("option 'clip' must be a table"))
    }

    @Test func whatMethodsCannotDo() throws {
      let cases: [(KeyValuePairs<String, Value>, String)] = [
        (["kl": ["coefficient": 0.1]], "option 'kl.coefficient' needs method grpo"),
        (
          ["method": "dpo", "kl": ["coefficient": 0.1]],
          "option 'kl.coefficient' does not apply to method dpo: dpo.beta holds it to the reference"
        ),
        (["method": "sft", "ratio": [:]], "option 'ratio' needs method grpo or grao, not sft"),
        (["method": "sft", "num_iterations": 2], "option 'num_iterations' needs a method that samples, not sft"),
        (["method": "dpo", "resample_rounds": 1], "option 'resample_rounds' needs a method that samples, not dpo"),
        (
          ["num_iterations": 2],
          "option 'num_iterations' above 1 needs option 'ratio' with method grao: without a ratio a rollout is on policy "
            + "for one step only"
        ),
        (
          ["method": "grpo", "advantage": ["group": "with_reference"]],
          "option 'advantage.group' \"with_reference\" needs method grao: grpo does not score the reference"
        ),
        (
          ["method": "grpo", "temperature": 0],
          "option 'logprob_temperature' must be more than 0, not 0.0"
        ),
        (["method": "dpo", "normalization": "token"], "option 'normalization' must be \"sequence\" with method dpo"),
        (["method": "sft", "normalization": "constant"], "option 'normalization' \"constant\" needs max_new_tokens"),
        (["method": "dpo", "dpo": ["beta": 0]], "option 'dpo.beta' must be more than 0"),
        (["optimizer": ["eps": 0]], "option 'optimizer.eps' must be at least 1e-30"),
        (
          ["method": "dpo", "dpo": ["loss": "ipo", "label_smoothing": 0.1]],
          "option 'dpo.label_smoothing' needs loss \"sigmoid\", not \"ipo\""
        ),
        (
          ["method": "grpo", "num_mini_batches": 3, "prompts_per_step": 2],
          "option 'num_mini_batches' is 3, but there are 2 prompts_per_step"
        ),
      ]
      for (changes, expected) in cases {
        let failure = try Self.failure(changes)
        #expect(failure.hasPrefix("grao.train: " + expected), "\(failure)")
      }
    }
  }
}
