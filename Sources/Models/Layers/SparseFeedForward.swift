import Kernels

/// A router that sends each token to K experts, each a gated unit as ``SwiGLU`` is, and adds what they say, weighted by
/// its rule. Tokens are sorted by expert, so that each expert's products are one.
package struct SparseFeedForward: FeedForward {
  let layer: Int
  let router: Linear
  let weights: ExpertWeights
  let rule: RoutingRule
  var activation = Activation.silu
  /// [E], added to the scores for the choice alone; not trained.
  var correction: Parameter?
  package var experts: Int { weights.count }
  package var sparse: SparseFeedForward? { self }
  package var inactiveParameterCount: Int { weights.countOfOne * (experts - rule.perToken) }

  struct Kept: Record {
    let layer: SparseFeedForward
    /// [T, E].
    let logits: Matrix
    let routing: Routing
    /// [·, F]: sorted rows, or as they lie in the cache.
    let gate, up: Matrix
    /// Where these are, for each token's choices [T · K].
    let rows: Indices
    var isSorted: Bool { rows.start == routing.slot.start }
  }

  package func keep(_ x: Matrix, _ pass: Pass) -> any Record {
    let logits = router.forward(x, pass)
    let routing = routing(logits, pass)
    let rows = x.rows * rule.perToken
    let kept = Kept(
      layer: self, logits: logits, routing: routing, gate: weights.gate.room(rows, pass),
      up: weights.up.room(rows, pass), rows: routing.slot)
    [weights.gate, weights.up].forward(Rows(x, routing.token), routing.offsets, into: [kept.gate, kept.up], pass)
    return kept
  }

  /// Sends rows to experts by their logits [T, E].
  private func routing(_ logits: Matrix, _ pass: Pass) -> Routing {
    let correction = correction.map(pass.parameters.vector)
    let routing = route(logits, rule, correction: correction, in: pass.workspace)
    pass.routers?.record(layer: layer, logits, routing, rule, pass.workspace)
    return routing
  }

  package func record(of rows: inout KeptRows, _ pass: Pass) -> any Record {
    let logits = rows.next()
    let routing = routing(logits, pass)
    let (gate, up, places) = rows.nextTwo(perToken: rule.perToken)
    return Kept(layer: self, logits: logits, routing: routing, gate: gate, up: up, rows: places)
  }

  /// What the router does with rows of which nothing more is needed yet.
  func recordRouting(of rows: inout KeptRows, _ pass: Pass) { _ = routing(rows.next(), pass) }
}

extension SparseFeedForward.Kept {
  func rows(_ pass: Pass) -> [TokenRows] {
    [TokenRows(logits)] + [gate, up].map { TokenRows($0, routing.slot, parts: layer.rule.perToken) }
  }

  func output(into y: Matrix, _ pass: Pass) {
    let (workspace, offsets) = (pass.workspace, routing.offsets)
    let mark = workspace.mark
    let h = workspace.matrix(gate.rows, gate.columns)
    glu(gate, up, layer.activation, into: h)
    let said = layer.weights.down.room(h.rows, pass)
    layer.weights.down.forward(h, offsets, into: said, pass)
    combine(said, routing, into: y)
    workspace.release(to: mark)
  }

  /// y = Σ weight · W_down h over a token's experts: with dh without the weight, that of the weight is dh · h, and
  /// neither h nor what an expert said is kept.
  func backward(_ dy: Matrix, x: Matrix, into dx: Matrix, _ pass: Pass) {
    let (workspace, weights, offsets) = (pass.workspace, layer.weights, routing.offsets)
    let dweights = workspace.matrix(x.rows, layer.rule.perToken)
    let said = Rows(dy, routing.token)
    let dsorted = workspace.matrix(routing.token.count, dy.columns)
    let dgate = isSorted ? gate : weights.gate.room(dsorted.rows, pass)
    let dup = isSorted ? up : weights.up.room(dsorted.rows, pass)
    let mark = workspace.mark
    let h = workspace.matrix(dgate.rows, dgate.columns)
    weights.down.inputGradient(said, offsets, into: h, pass)
    weightedGLUGradient(
      h, gate, up, rows: rows, layer.activation, routing, dgate: dgate, dup: dup, dweights: dweights)
    weights.down.addWeightGradient(said, x: Rows(h), offsets, pass)
    if let bias = weights.down.bias {
      gatherRows(dy, routing.token, into: dsorted)
      expertBiasGradient(dsorted, pass.parameters.vector(bias), routing, addingTo: dweights)
      weights.down.addBiasGradient(dsorted, offsets, pass)
    }
    workspace.release(to: mark)

    let input = Rows(x, routing.token)
    weights.gate.backward(dgate, x: input, offsets, into: dsorted, pass)
    weights.up.backward(dup, x: input, offsets, into: dsorted, accumulate: true, pass)
    workspace.release(to: mark)

    let dlogits = workspace.matrix(x.rows, layer.experts)
    routeGradient(dweights, routing, layer.rule, into: dlogits)
    pass.routerGradients?.add(layer: layer.layer, logits, routing, layer.rule, workspace, to: dlogits)
    layer.router.backward(dlogits, x: x, into: dx, isFrozen: pass.freezesRouters, pass)
    ungatherAdd(dsorted, routing, to: dx)
  }
}
