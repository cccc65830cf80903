import Kernels

/// Routed experts, and beside them one that every token goes to: y = routed(x) + shared(x), or, in proportion to the
/// sigmoid of a gate, routed(x) + sigmoid(gate(x)) · shared(x).
package struct SharedExpert: FeedForward {
  let routed: SparseFeedForward
  let shared: SwiGLU
  /// [1, C].
  let gate: Linear?
  package var experts: Int { routed.experts }
  package var sparse: SparseFeedForward? { routed }
  package var inactiveParameterCount: Int { routed.inactiveParameterCount }

  struct Kept: Record {
    let layer: SharedExpert
    let x: Matrix
    /// The gate's [T, 1], and what the shared expert says before it [T, C].
    let gated: (gate: Matrix, said: Matrix)?
    let routed, shared: any Record
  }

  package func forward(_ x: Matrix, _ pass: Pass) -> (y: Matrix, kept: any Record) {
    let (y, routedKept) = routed.forward(x, pass)
    let (said, sharedKept) = shared.forward(x, pass)
    guard let gate = self.gate?.forward(x, pass) else {
      add(said, to: y)
      return (y, Kept(layer: self, x: x, gated: nil, routed: routedKept, shared: sharedKept))
    }
    let gated = pass.workspace.matrix(y.rows, y.columns)
    gateRows(said, gate, into: gated)
    add(gated, to: y)
    return (y, Kept(layer: self, x: x, gated: (gate, said), routed: routedKept, shared: sharedKept))
  }
}

extension SharedExpert.Kept {
  func backward(_ dy: Matrix, _ pass: Pass) -> Matrix {
    guard let projection = layer.gate, let (gate, said) = gated else {
      let dx = routed.backward(dy, pass)
      add(shared.backward(dy, pass), to: dx)
      return dx
    }
    let dsaid = pass.workspace.matrix(dy.rows, dy.columns)
    let dgate = pass.workspace.matrix(dy.rows, 1)
    gateRowsGradient(dy, said, gate, dx: dsaid, dgate: dgate)
    let dx = routed.backward(dy, pass)
    add(shared.backward(dsaid, pass), to: dx)
    projection.backward(dgate, x: x, into: dx, accumulate: true, pass)
    return dx
  }
}
