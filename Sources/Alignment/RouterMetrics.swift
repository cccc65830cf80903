import Models
import Values

/// What a step records of its routers: over the tokens of its sequences, a shared prompt counted for each.
struct RouterMetrics {
  let tally: RouterTally
  let balancing: LoadBalancing?

  func add(to metrics: inout Table) {
    if let balancing, let loss = tally.auxiliaryLoss(balancing) { metrics["moe/aux_loss"] = .number(loss) }
    if let loss = tally.zLoss { metrics["moe/z_loss"] = .number(loss) }
    if let worst = tally.layers.map(\.maximumViolation).max() { metrics["moe/load_max_violation"] = .number(worst) }
    for layer in tally.layers {
      metrics["moe/layer_\(layer.index)/load_max_violation"] = .number(layer.maximumViolation)
      metrics["moe/layer_\(layer.index)/load_entropy"] = .number(layer.entropy)
      metrics["moe/layer_\(layer.index)/dead_experts"] = .integer(layer.deadExperts)
    }
  }
}
