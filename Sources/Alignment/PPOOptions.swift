import Sampling
import Values

/// Of method ppo, beside the clip of its ratio and the coefficient of its KL.
public struct PPOOptions {
  /// What says what a token is worth.
  public enum Critic {
    /// A value head on the policy itself.
    case shared
    /// A model apart, which begins as the policy.
    case separate
    /// A model apart, trained in place.
    case model(Model)
  }

  /// Who estimates the values: a head on the policy, unless set.
  public var critic = Critic.shared
  /// γ: what a token's successor is worth.
  public var gamma = 1.0
  /// λ of generalized advantage estimation: 0 trusts the values, 1 the rewards.
  public var lambda = 0.95
  /// Whether a rollout's advantages are brought to mean 0 and deviation 1.
  public var whitensAdvantages = true
  /// How far a value may move from the rollout's; nil does not clip.
  public var valueClip: Double? = 0.2
  /// Of the values' loss.
  public var valueCoefficient = 0.1

  /// With the defaults.
  public init() {}

  init(reading reader: OptionReader) throws(GRAOError) {
    switch reader.optional("critic") {
    case .string("shared"), nil: critic = .shared
    case .string("separate"): critic = .separate
    case .object(let object as Model): critic = .model(object)
    default: throw reader.failure("critic", "must be \"shared\", \"separate\" or a model")
    }
    gamma = try reader.number("gamma")
    lambda = try reader.number("gae_lambda")
    whitensAdvantages = try reader.boolean("whiten_advantages")
    let clip = try reader.number("value_clip")
    valueClip = clip > 0 ? clip : nil
    valueCoefficient = try reader.number("value_coefficient")
  }

  var record: Table {
    let critic =
      switch critic {
      case .shared: "shared"
      case .separate: "separate"
      case .model(let model): "a \(model.architecture) model"
      }
    return [
      "critic": .string(critic), "gamma": .number(gamma), "gae_lambda": .number(lambda),
      "whiten_advantages": .boolean(whitensAdvantages), "value_clip": .number(valueClip ?? 0),
      "value_coefficient": .number(valueCoefficient),
    ]
  }

  static var schema: OptionSchema {
    OptionSchema(
      owner: "grao.train",
      [
        OptionDeclaration(
          "critic", .oneOf([.string, .object("a model")]), default: "shared",
          "a value head on the policy (shared), a model that begins as the policy (separate), or a model"),
        OptionDeclaration("gamma", .number, default: 1, "what the next token's value counts", minimum: 0, maximum: 1),
        OptionDeclaration(
          "gae_lambda", .number, default: 0.95,
          "of generalized advantage estimation: 0 trusts the values, 1 the rewards",
          minimum: 0, maximum: 1),
        OptionDeclaration(
          "whiten_advantages", .boolean, default: true, "bring a rollout's advantages to mean 0 and deviation 1"),
        OptionDeclaration(
          "value_clip", .number, default: 0.2, "how far a value may move from the rollout's; 0: not clipped", minimum: 0
        ),
        OptionDeclaration("value_coefficient", .number, default: 0.1, "of the values' loss", minimum: 0),
      ])
  }
}

/// Of method reward.
public struct RewardModelOptions: Sendable, Equatable {
  /// Of the penalty that holds the scores around 0.
  public var centering = 0.0

  /// Without the penalty.
  public init() {}

  init(reading reader: OptionReader) throws(GRAOError) { centering = try reader.number("center_coefficient") }

  var record: Table { ["center_coefficient": .number(centering)] }

  static var schema: OptionSchema {
    OptionSchema(
      owner: "grao.train",
      [
        OptionDeclaration(
          "center_coefficient", .number, default: 0, "of the penalty that holds the scores around 0", minimum: 0)
      ])
  }
}
