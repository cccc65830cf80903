import Data
import Sampling
import Values

extension EvaluationOptions {
  /// The options of `grao.evaluate`, declared once.
  public static var schema: OptionSchema {
    OptionSchema(
      owner: "grao.evaluate",
      [
        OptionDeclaration("model", .object("a model"), "whose completions are scored", required: true),
        OptionDeclaration("baseline", .object("a model"), "whose completions they are paired with"),
        OptionDeclaration("data", .object("a dataset"), "rows with a prompt and a reference", required: true),
        OptionDeclaration(
          "rewards", .array(), "functions, plugins, judges, or { name, score or score_batch, weight }", required: true),
        OptionDeclaration(
          "on_reward_error", .string, default: "stop", "stop, or skip the sample", choices: ["stop", "skip"]),
        OptionDeclaration("samples", .integer, default: 1, "completions for each row", minimum: 1, maximum: 0x1p20),
        OptionDeclaration("seed", .integer, default: 0, "names the random streams"),
      ] + GenerationOptions.declarations(temperature: 0))
  }

  /// What a script asks to be evaluated, checked against ``schema``.
  public static func read(_ table: Table) throws(GRAOError) -> (
    model: Model, data: Dataset, rewards: [Reward], options: EvaluationOptions
  ) {
    let reader = try schema.read(table)
    var options = EvaluationOptions()
    options.generation = try GenerationOptions(reading: reader)
    options.generation.samples = try reader.integer("samples")
    options.generation.seed = UInt64(bitPattern: Int64(try reader.integer("seed")))
    options.baseline = try reader.optionalObject("baseline", as: Model.self, "a model")
    options.onRewardError = RewardErrorPolicy(rawValue: try reader.string("on_reward_error")) ?? .stop
    return (
      try reader.object("model", as: Model.self, "a model"), try reader.object("data", as: Dataset.self, "a dataset"),
      try Reward.read(reader.array("rewards"), owner: reader.owner), options
    )
  }
}
