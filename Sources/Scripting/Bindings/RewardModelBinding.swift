import GRAO
import Values

/// Reward models as scripts get them.
enum RewardModelBinding {
  static var rewardModel: LuaClass<RewardModel> {
    LuaClass<RewardModel>("grao.reward_model")
      .description { "grao.reward_model: \($0.model.architecture)" }
      .field("name") { .string($0.name) }
      .method("score") { reward, call in
        let prompt = try Prompt(call[1], "argument 1 of \(call.name)")
        let completion = try Response(call[2], "argument 2 of \(call.name)")
        return [.number(Double(try reward.model.score(of: completion, after: prompt)))]
      }
  }

  /// `grao.reward_model(path or model)`.
  static func make(_ call: LuaCall, _ engine: ScriptEngine) throws -> RewardModel {
    let model: Model
    switch call[1] {
    case .string(let path): model = try Model.load(path)
    case .object(let given as Model): model = given
    case let other: throw GRAOError("argument 1 of \(call.name) must be a path or a model, not \(other.kind)")
    }
    let reward = try RewardModel(model)
    reward.checkInterrupt = { [weak engine] in try engine?.checkInterrupt() }
    return reward
  }
}
