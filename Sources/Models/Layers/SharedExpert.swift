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
    /// [T, 1].
    let gate: Matrix?
    let routed, shared: any Record
  }

  package func keep(_ x: Matrix, _ pass: Pass) -> any Record {
    Kept(
      layer: self, gate: gate?.forward(x, pass), routed: routed.keep(x, pass), shared: shared.keep(x, pass))
  }

  package func record(of rows: inout KeptRows, _ pass: Pass) -> any Record {
    let (routed, shared) = (routed.record(of: &rows, pass), shared.record(of: &rows, pass))
    return Kept(layer: self, gate: gate.map { _ in rows.next() }, routed: routed, shared: shared)
  }
}

extension SharedExpert.Kept {
  func rows(_ pass: Pass) -> [TokenRows] {
    routed.rows(pass) + shared.rows(pass) + (gate.map { [TokenRows($0)] } ?? [])
  }

  func output(into y: Matrix, _ pass: Pass) {
    let mark = pass.workspace.mark
    routed.output(into: y, pass)
    let said = said(like: y, pass)
    if let gate { gateRows(said, gate, into: said) }
    add(said, to: y)
    pass.workspace.release(to: mark)
  }

  /// What the shared expert says before the gate.
  private func said(like y: Matrix, _ pass: Pass) -> Matrix {
    let said = pass.workspace.matrix(y.rows, y.columns)
    shared.output(into: said, pass)
    return said
  }

  func backward(_ dy: Matrix, x: Matrix, into dx: Matrix, _ pass: Pass) {
    let workspace = pass.workspace
    routed.backward(dy, x: x, into: dx, pass)
    let dshared = workspace.matrix(x.rows, x.columns)
    if let projection = layer.gate, let gate {
      let dgate = workspace.matrix(dy.rows, 1)
      // The gradient of what it said takes its place.
      let said = said(like: dy, pass)
      gateRowsGradient(dy, said, gate, dx: said, dgate: dgate)
      shared.backward(said, x: x, into: dshared, pass)
      projection.backward(dgate, x: x, into: dx, accumulate: true, pass)
    } else {
      shared.backward(dy, x: x, into: dshared, pass)
    }
    add(dshared, to: dx)
  }
}
