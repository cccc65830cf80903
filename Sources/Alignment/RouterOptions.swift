import Models
import Values

/// How the routers of a mixture of experts are trained.
public struct RouterOptions: Sendable, Equatable {
  /// Of the architecture's own load-balancing loss.
  public var auxiliaryLossCoefficient = 0.0
  /// Of the router z-loss (arXiv 2202.08906).
  public var zLossCoefficient = 0.0
  /// u: how far a router's correction bias moves against the load after each step (arXiv 2408.15664).
  public var biasUpdateSpeed = 0.0
  /// Whether the routers' weights stay as they are: no gradient, no decay, no moments.
  public var isFrozen = false

  /// No losses, no bias updates, routers trained as all else.
  public init() {}

  init(reading reader: OptionReader) throws(GRAOError) {
    auxiliaryLossCoefficient = try reader.number("aux_loss_coefficient")
    zLossCoefficient = try reader.number("z_loss_coefficient")
    biasUpdateSpeed = try reader.number("bias_update_speed")
    isFrozen = try reader.boolean("freeze_router")
  }

  var record: Value {
    [
      "aux_loss_coefficient": .number(auxiliaryLossCoefficient), "z_loss_coefficient": .number(zLossCoefficient),
      "bias_update_speed": .number(biasUpdateSpeed), "freeze_router": .boolean(isFrozen),
    ]
  }

  var losses: RouterLosses { RouterLosses(auxiliary: auxiliaryLossCoefficient, z: zLossCoefficient) }

  /// Refuses what the model's architecture cannot honour.
  func check(for network: Network) throws(GRAOError) {
    func refuse(_ option: String, _ words: String) throws(GRAOError) {
      throw GRAOError("grao.train: option 'moe.\(option)' \(words)")
    }
    let numbers = [
      ("aux_loss_coefficient", auxiliaryLossCoefficient), ("z_loss_coefficient", zLossCoefficient),
      ("bias_update_speed", biasUpdateSpeed),
    ]
    for (option, value) in numbers where !(value.isFinite && value >= 0) {
      try refuse(option, "must be 0 or more, not \(value)")
    }
    let type = network.architecture.modelType
    let isUsed = numbers.filter { $0.1 > 0 }.map(\.0) + (isFrozen ? ["freeze_router"] : [])
    if let first = isUsed.first, network.routerParameters.isEmpty {
      try refuse(first, "needs a mixture of experts: this '\(type)' model has no router")
    }
    if auxiliaryLossCoefficient > 0, network.plan.balancing == nil {
      try refuse("aux_loss_coefficient", "needs a load-balancing loss, and '\(type)' defines none")
    }
    if biasUpdateSpeed > 0, !network.hasCorrectionBias {
      try refuse("bias_update_speed", "needs a correction bias (e_score_correction_bias): '\(type)' has none")
    }
    if biasUpdateSpeed > 0, isFrozen {
      try refuse(
        "bias_update_speed", "moves the routers' correction bias, and moe.freeze_router keeps them as they are")
    }
  }
}

extension OptionSchema {
  /// Of ``RouterOptions``.
  static var routers: OptionSchema {
    OptionSchema(
      owner: "grao.train",
      [
        OptionDeclaration(
          "aux_loss_coefficient", .number, default: 0, "of the architecture's own load-balancing loss", minimum: 0),
        OptionDeclaration("z_loss_coefficient", .number, default: 0, "of the router z-loss", minimum: 0),
        OptionDeclaration(
          "bias_update_speed", .number, default: 0,
          "how far each router's correction bias moves against the load after a step", minimum: 0),
        OptionDeclaration("freeze_router", .boolean, default: false, "leave the routers as they are"),
      ])
  }
}
