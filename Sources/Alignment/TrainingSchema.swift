import Data
import Sampling
import Values

/// The options of `grao.train`, declared once: names, types, defaults, ranges and words.
extension TrainingOptions {
  public static var schema: OptionSchema {
    OptionSchema(
      owner: "grao.train",
      [
        OptionDeclaration("model", .object("a model"), "the policy, trained in place", required: true),
        OptionDeclaration("method", .string, "sft or grao", required: true),
        OptionDeclaration("data", .object("a dataset"), "rows with a prompt and a reference"),
        OptionDeclaration("rewards", .array(), "functions, plugins, or { name, score, weight }"),
        OptionDeclaration(
          "on_reward_error", .string, default: "stop", "stop the run, or skip the sample",
          choices: ["stop", "skip"]),
        OptionDeclaration(
          "weights", .nested(weights), default: .table(Table()), "grao: weights of the objective's parts"),
        OptionDeclaration("curriculum", .object("a function or a curriculum plugin"), "weight of each row"),
        OptionDeclaration("advantage", .nested(advantage), default: .table(Table()), "how rewards become advantages"),
        OptionDeclaration(
          "normalization", .string, default: "sequence", "mean over sequences of means, or over all tokens",
          choices: Normalization.allCases.map { .string($0.rawValue) }),
        OptionDeclaration(
          "prompts_per_step", .integer, default: 64, "rows of one optimizer step", minimum: 1, maximum: 0x1p20),
        OptionDeclaration(
          "group_size", .integer, default: 8, "G, completions for each prompt", minimum: 1, maximum: 0x1p20),
        OptionDeclaration("optimizer", .nested(optimizer), default: .table(Table()), "AdamW"),
        OptionDeclaration(
          "logprob_temperature", .number, default: 1, "at which objectives see log-probabilities",
          minimum: 0.001),
        OptionDeclaration(
          "micro_batch_tokens", .integer, default: 2048, "tokens of one forward and backward pass", minimum: 1),
        OptionDeclaration("steps", .integer, "optimizer steps; one epoch where not given", minimum: 1),
        OptionDeclaration("seed", .integer, default: 0, "names every random stream of the run"),
        OptionDeclaration("on_step", .object("a function"), "called with the state; false ends the run"),
        OptionDeclaration("eval_data", .object("a dataset"), "held-out rows"),
        OptionDeclaration("eval_every", .integer, "steps between evaluations", minimum: 1),
        OptionDeclaration("run_dir", .string, "directory for the run's metrics, options and model"),
        OptionDeclaration("kl", .nested(kl), default: .table(Table()), "penalty towards the frozen reference model"),
        OptionDeclaration("moe", .nested(moe), default: .table(Table()), "router losses"),
        OptionDeclaration("clip", .nested(clip), "of ratios, for grpo and ppo"),
        OptionDeclaration("dpo", .nested(dpo), "of method dpo"),
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
          "group", .string, default: "with_reference", "whose rewards the mean is taken over",
          choices: AdvantageOptions.Group.allCases.map { .string($0.rawValue) }),
        OptionDeclaration(
          "scale", .string, default: "std", "divide by the standard deviation or not",
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
        OptionDeclaration("eps", .number, default: 1e-8, "added to the root of the second moment", minimum: 0),
        OptionDeclaration("weight_decay", .number, default: 0.01, "of matrices", minimum: 0),
        OptionDeclaration("max_grad_norm", .number, default: 1, "gradients are clipped to it; 0: not", minimum: 0),
      ])
  }

  private static var kl: OptionSchema {
    OptionSchema(
      owner: "grao.train",
      [
        OptionDeclaration("coefficient", .number, default: 0, "0: no penalty", minimum: 0),
        OptionDeclaration("reference", .string, default: "initial", "the frozen model", choices: ["initial"]),
      ])
  }

  private static var moe: OptionSchema {
    OptionSchema(
      owner: "grao.train",
      [
        OptionDeclaration("aux_loss_coefficient", .number, default: 0, "of the load-balancing loss", minimum: 0),
        OptionDeclaration("z_loss_coefficient", .number, default: 0, "of the router's z-loss", minimum: 0),
        OptionDeclaration("freeze_router", .boolean, default: false, "leave the router's weights as they are"),
      ])
  }

  private static var clip: OptionSchema {
    OptionSchema(
      owner: "grao.train",
      [
        OptionDeclaration("low", .number, default: 0.2, "below ratio 1", minimum: 0),
        OptionDeclaration("high", .number, default: 0.2, "above ratio 1", minimum: 0),
      ])
  }

  private static var dpo: OptionSchema {
    OptionSchema(
      owner: "grao.train", [OptionDeclaration("beta", .number, default: 0.1, "of the implicit reward", minimum: 0)])
  }
}
