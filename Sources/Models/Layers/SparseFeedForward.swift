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
    let x: Matrix
    /// [T, E], and the log of the sum of their exponentials where the pass records its routers.
    let logits: Matrix
    let lse: Matrix?
    let routing: Routing
    /// Sorted rows: [T · K, …].
    let sorted, gate, up, h, y: Matrix
  }

  package func forward(_ x: Matrix, _ pass: Pass) -> (y: Matrix, kept: any Record) {
    let (parameters, workspace) = (pass.parameters, pass.workspace)
    let logits = router.forward(x, pass)
    let routing = route(logits, rule, correction: correction.map(parameters.vector), in: workspace)
    let lse = pass.routers?.record(layer: layer, logits, routing, rule, workspace)
    let rows = x.rows * rule.perToken
    let sorted = workspace.matrix(rows, x.columns)
    gatherRows(x, routing.token, into: sorted)
    let gate = weights.gate.forward(sorted, routing.offsets, pass)
    let up = weights.up.forward(sorted, routing.offsets, pass)
    let h = workspace.matrix(rows, gate.columns)
    glu(gate, up, activation, into: h)
    let expertOutput = weights.down.forward(h, routing.offsets, pass)
    let y = workspace.matrix(x.rows, x.columns)
    combine(expertOutput, routing, into: y)
    let kept = Kept(
      layer: self, x: x, logits: logits, lse: lse, routing: routing, sorted: sorted, gate: gate, up: up, h: h,
      y: expertOutput)
    return (y, kept)
  }
}

extension SparseFeedForward.Kept {
  func backward(_ dout: Matrix, _ pass: Pass) -> Matrix {
    let (workspace, weights, offsets) = (pass.workspace, layer.weights, routing.offsets)
    let dy = workspace.matrix(y.rows, y.columns)
    let dweights = workspace.matrix(x.rows, layer.rule.perToken)
    combineGradient(dout, y, routing, dx: dy, dweights: dweights)

    let dh = workspace.matrix(h.rows, h.columns)
    weights.down.backward(dy, x: h, offsets, into: dh, pass)
    let dgate = workspace.matrix(h.rows, h.columns)
    let dup = workspace.matrix(h.rows, h.columns)
    gluGradient(dh, gate, up, layer.activation, dgate: dgate, dup: dup)

    let dsorted = workspace.matrix(sorted.rows, sorted.columns)
    weights.gate.backward(dgate, x: sorted, offsets, into: dsorted, pass)
    weights.up.backward(dup, x: sorted, offsets, into: dsorted, accumulate: true, pass)

    let dlogits = workspace.matrix(x.rows, layer.experts)
    routeGradient(dweights, routing, layer.rule, into: dlogits)
    if let lse {
      pass.routerGradients?.add(layer: layer.layer, logits, routing, lse: lse, layer.rule, to: dlogits)
    }
    let dx = workspace.matrix(x.rows, x.columns)
    layer.router.backward(dlogits, x: x, into: dx, isFrozen: pass.freezesRouters, pass)
    ungatherAdd(dsorted, routing, to: dx)
    return dx
  }
}
