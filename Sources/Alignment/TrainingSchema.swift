import Data
import Kernels
import Sampling
import Values

/// The options of `grao.train`, declared once: names, types, defaults, ranges and words.
extension TrainingOptions {
  public static var schema: OptionSchema {
    OptionSchema(
      owner: "grao.train",
      [
        OptionDeclaration("model", .object("a model"), "the policy, trained in place", required: true),
        OptionDeclaration(
          "method", .oneOf([.string, .object("an objective of your own")]),
          Method.named.map(\.rawValue).joined(separator: ", ") + ", or a function or plugin that computes a loss",
          required: true),
        OptionDeclaration(
          "check", .boolean, default: false,
          "own objective: compare its derivative with finite differences at the first step"),
        OptionDeclaration(
          "reference_model", .boolean, default: false,
          "own objective: whether it gets ref_logp, of the policy as it was at first"),
        OptionDeclaration(
          "preset", .string, "grpo: a published variant, whose options yours override",
          choices: MethodPreset.all.map { .string($0.name) }),
        OptionDeclaration(
          "data", .object("a dataset"),
          "rows with a prompt, and reference (sft, grao) or chosen and rejected (dpo, reward; there margin too)"),
        OptionDeclaration("rewards", .array(), "functions, plugins, judges, or { name, score or score_batch, weight }"),
        OptionDeclaration(
          "on_reward_error", .string, default: "stop", "stop the run, or skip the sample",
          choices: ["stop", "skip"]),
        OptionDeclaration(
          "weights", .nested(weights), default: .table(Table()), "grao: weights of the objective's parts"),
        OptionDeclaration("curriculum", .object("a function or a curriculum plugin"), "weight of each row"),
        OptionDeclaration(
          "reward_aggregation", .string, default: "sum_then_normalize",
          "advantages of the rewards' sum, or the sum of each reward's own advantages (GDPO)",
          choices: RewardAggregation.allCases.map { .string($0.rawValue) }),
        OptionDeclaration("advantage", .nested(advantage), default: .table(Table()), "how rewards become advantages"),
        OptionDeclaration("ratio", .nested(ratio), "grpo, grao: the importance ratio; grao has none by default"),
        OptionDeclaration(
          "normalization", .string, default: "sequence",
          "mean over sequences of means, over all tokens, or by a constant length (grpo, ppo)",
          choices: Normalization.allCases.map { .string($0.rawValue) }),
        OptionDeclaration(
          "mask_truncated_completions", .boolean, default: false,
          "grpo, ppo, grao: leave completions that max_new_tokens cut off out of the loss"),
        OptionDeclaration(
          "resample_rounds", .integer, default: 0,
          "grpo, grao: how often groups whose rewards are all equal are drawn anew, with other rows", minimum: 0,
          maximum: 1000),
        OptionDeclaration(
          "num_iterations", .integer, "passes over one rollout: 4 for ppo, else 1", minimum: 1, maximum: 1000),
        OptionDeclaration(
          "num_mini_batches", .integer, default: 1, "optimizer steps of one pass over a rollout, by prompts",
          minimum: 1, maximum: 0x1p20),
        OptionDeclaration(
          "prompts_per_step", .integer, default: 64, "rows of one optimizer step", minimum: 1, maximum: 0x1p20),
        OptionDeclaration(
          "group_size", .integer, default: 8, "G, completions for each prompt", minimum: 1, maximum: 0x1p20),
        OptionDeclaration("optimizer", .nested(optimizer), default: .table(Table()), "AdamW"),
        OptionDeclaration(
          "logprob_temperature", .number,
          "at which objectives see log-probabilities; the sampling temperature for grpo and ppo, else 1", minimum: 0.001
        ),
        OptionDeclaration(
          "micro_batch_tokens", .integer,
          "tokens of one forward and backward pass; 2048 for sft, dpo and reward, which sample nothing, else 4096",
          minimum: 1),
        OptionDeclaration(
          "recompute", .boolean, default: false,
          "keep the layers' inputs alone and compute the rest again on the way back: less memory, the same gradients"
        ),
        OptionDeclaration("steps", .integer, "optimizer steps; one epoch where not given", minimum: 1),
        OptionDeclaration("seed", .integer, default: 0, "names every random stream of the run"),
        OptionDeclaration("on_step", .object("a function"), "called with the state; false ends the run"),
        OptionDeclaration("eval_data", .object("a dataset"), "held-out rows"),
        OptionDeclaration("eval_every", .integer, "steps between evaluations", minimum: 1),
        OptionDeclaration(
          "stages", .array(of: .table),
          "grao.train: runs one after another, each a table of these options beside a name; evaluates all after each"),
        OptionDeclaration("run_dir", .string, "directory for the run's metrics, options and model"),
        OptionDeclaration("kl", .nested(kl), default: .table(Table()), "penalty towards the frozen reference model"),
        OptionDeclaration(
          "moe", .nested(.routers), default: .table(Table()), "of a mixture of experts: how its routers are trained"),
        OptionDeclaration("clip", .nested(clip), default: .table(Table()), "of ratios, for grpo and ppo"),
        OptionDeclaration("ppo", .nested(PPOOptions.schema), "of method ppo"),
        OptionDeclaration("reward_model", .nested(RewardModelOptions.schema), "of method reward"),
        OptionDeclaration("dpo", .nested(dpo), default: .table(Table()), "of method dpo"),
        OptionDeclaration("checkpoint_every", .integer, "steps between checkpoints: not in this version", minimum: 1),
        OptionDeclaration("resume", .oneOf([.boolean, .string]), "go on from a checkpoint: not in this version"),
      ] + GenerationOptions.declarations(temperature: 0.7))
  }

  private static var weights: OptionSchema {
    OptionSchema(
      owner: "grao.train",
      [
        OptionDeclaration("exploration", .schedule, default: 1, "of Â_i J(o_i)"),
        OptionDeclaration("imitation", .schedule, default: 0.5, "β, of Â_y J(y)"),
        OptionDeclaration("regularizer", .schedule, default: 0.6, "λ, of Â_i (J(o_i) - J(y))"),
      ])
  }

  private static var advantage: OptionSchema {
    OptionSchema(
      owner: "grao.train",
      [
        OptionDeclaration(
          "group", .string, "whose rewards the mean is taken over: with_reference for grao, else samples",
          choices: AdvantageOptions.Group.allCases.map { .string($0.rawValue) }),
        OptionDeclaration(
          "baseline", .string, default: "mean", "what a reward is measured from: its group's mean, the others', or 0",
          choices: AdvantageOptions.Baseline.allCases.map { .string($0.rawValue) }),
        OptionDeclaration(
          "scale", .string, default: "std", "divide by the group's standard deviation, the step's, or not",
          choices: AdvantageOptions.Scale.allCases.map { .string($0.rawValue) }),
        OptionDeclaration("epsilon", .number, default: 0, "added to the standard deviation", minimum: 0),
      ])
  }

  private static var optimizer: OptionSchema {
    OptionSchema(
      owner: "grao.train",
      [
        OptionDeclaration("learning_rate", .schedule, default: 1e-6, "of AdamW"),
        OptionDeclaration(
          "betas", .array(of: .number, count: 2), default: [0.9, 0.999], "decay of the moments", minimum: 0,
          maximum: 0.999999999),
        OptionDeclaration("eps", .number, default: 1e-8, "added to the root of the second moment", minimum: 1e-30),
        OptionDeclaration("weight_decay", .number, default: 0.01, "of matrices", minimum: 0),
        OptionDeclaration("max_grad_norm", .number, default: 1, "gradients are clipped to it; 0: not", minimum: 0),
        OptionDeclaration(
          "state_dtype", .string, default: "float32",
          "of the moments; bfloat16, stochastically rounded, halves their memory",
          choices: ComputeType.allCases.map { .string($0.rawValue) }),
      ])
  }

  private static var ratio: OptionSchema {
    OptionSchema(
      owner: "grao.train",
      [
        OptionDeclaration(
          "level", .string, default: "token", "a ratio for each token, or one for each sequence (GSPO)",
          choices: RatioOptions.Level.allCases.map { .string($0.rawValue) }),
        OptionDeclaration(
          "form", .string, default: "clipped", "the clipped objective of PPO, or the clipped weight of CISPO",
          choices: RatioOptions.Form.allCases.map { .string($0.rawValue) }),
      ])
  }

  private static var kl: OptionSchema {
    OptionSchema(
      owner: "grao.train",
      [
        OptionDeclaration("coefficient", .schedule, default: 0, "grpo, ppo: of the penalty; 0: none", minimum: 0),
        OptionDeclaration(
          "estimate", .string, "of the divergence, from a sampled token: k1 for ppo, else k3",
          choices: KLEstimate.allCases.map { .string($0.rawValue) }),
        OptionDeclaration(
          "reference", .string, default: "initial", "the policy at first, or one that follows it",
          choices: ["initial", "synchronized"]),
        OptionDeclaration(
          "sync_every", .integer, default: 512, "optimizer steps between synchronizations", minimum: 1),
        OptionDeclaration(
          "mixup", .number, default: 0.6, "share of the policy in the reference after one", minimum: 0, maximum: 1),
      ])
  }

  private static var clip: OptionSchema {
    OptionSchema(
      owner: "grao.train",
      [
        OptionDeclaration("low", .number, default: 0.2, "below ratio 1", minimum: 0, maximum: 1),
        OptionDeclaration("high", .number, default: 0.2, "above ratio 1", minimum: 0),
      ])
  }

  private static var dpo: OptionSchema {
    OptionSchema(
      owner: "grao.train",
      [
        OptionDeclaration(
          "loss", .string, default: "sigmoid", "of a pair; kto: of single responses",
          choices: DPOOptions.Loss.allCases.map { .string($0.rawValue) } + ["kto"]),
        OptionDeclaration("beta", .number, default: 0.1, "of the implicit reward", minimum: 0),
        OptionDeclaration(
          "label_smoothing", .number, default: 0, "sigmoid: share of pairs labelled the wrong way round", minimum: 0,
          maximum: 0.5),
        OptionDeclaration("gamma", .number, default: 0.5, "simpo: the margin that is asked for", minimum: 0),
        OptionDeclaration("desirable_weight", .number, default: 1, "kto: of chosen responses", minimum: 0),
        OptionDeclaration("undesirable_weight", .number, default: 1, "kto: of rejected responses", minimum: 0),
      ])
  }
}
