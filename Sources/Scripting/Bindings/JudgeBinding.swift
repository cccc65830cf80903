import GRAO
import Values

/// `grao.judge(model [, options])`: a reward.
enum JudgeBinding {
  static var judge: LuaClass<ModelJudge> {
    LuaClass<ModelJudge>("grao.judge")
      .description { "grao.judge: \($0.criterion)" }
      .field("name") { .string($0.name) }
  }

  static func make(_ call: LuaCall, _ engine: ScriptEngine) throws -> ModelJudge {
    let schema = OptionSchema(
      owner: call.name,
      [
        OptionDeclaration(
          "criterion", .string, default: "helpful",
          "helpful, harmless, or which text is to be preferred in your own words"),
        OptionDeclaration(
          "answers", .string, default: "logprobs",
          "logprobs: p(\"1 > 2\") - p(\"1 < 2\"); greedy: 1, 0 or -1 for what the model writes",
          choices: ModelJudge.Answers.allCases.map { .string($0.rawValue) }),
        OptionDeclaration("max_new_tokens", .integer, default: 16, "of a greedy answer", minimum: 1, maximum: 0x1p20),
      ])
    let model = try call.object(1, as: Model.self, "a model")
    let options = try schema.read(try call.options(2))
    guard model.tokenizer != nil else { throw GRAOError("\(call.name): a judge needs a model with a tokenizer") }
    let judge = ModelJudge(
      model, criterion: try options.string("criterion"),
      answers: ModelJudge.Answers(rawValue: try options.string("answers")) ?? .logprobs,
      maxNewTokens: try options.integer("max_new_tokens"))
    judge.checkInterrupt = { [weak engine] in try engine?.checkInterrupt() }
    return judge
  }
}
