import Kernels

/// y = down(silu(gate(x)) · up(x)) (arXiv 2002.05202), or with another activation than silu.
package struct SwiGLU: FeedForward {
  let gate, up, down: Linear
  let activation: Activation
  package var experts: Int { 0 }
  package var sparse: SparseFeedForward? { nil }
  package var inactiveParameterCount: Int { 0 }

  init(
    _ name: String, channels: Int, hidden: Int, bias: Bool = false, activation: Activation = .silu,
    in store: ParameterStore
  ) {
    gate = Linear(name + ".gate_proj", inputs: channels, outputs: hidden, bias: bias, in: store)
    up = Linear(name + ".up_proj", inputs: channels, outputs: hidden, bias: bias, in: store)
    down = Linear(name + ".down_proj", inputs: hidden, outputs: channels, bias: bias, in: store)
    self.activation = activation
  }

  /// Gate and up are the halves of one tensor, gate_up_proj.weight [2 · hidden, channels].
  init(fused name: String, channels: Int, hidden: Int, in store: ParameterStore) {
    func half(_ first: Int) -> Linear {
      Linear(rows: first..<first + hidden, of: name + ".gate_up_proj", inputs: channels, outputs: 2 * hidden, in: store)
    }
    gate = half(0)
    up = half(hidden)
    down = Linear(name + ".down_proj", inputs: hidden, outputs: channels, in: store)
    activation = .silu
  }

  struct Kept: Record {
    let layer: SwiGLU
    let gate, up: Matrix
  }

  package func keep(_ x: Matrix, _ pass: Pass) -> any Record {
    let projected = [gate, up].forward(x, pass)
    return Kept(layer: self, gate: projected[0], up: projected[1])
  }

  package func record(of rows: inout KeptRows, _ pass: Pass) -> any Record {
    Kept(layer: self, gate: rows.next(), up: rows.next())
  }
}

extension SwiGLU.Kept {
  func rows(_ pass: Pass) -> [TokenRows] { [gate, up].map(TokenRows.init) }

  fileprivate func h(_ pass: Pass) -> Matrix {
    let h = pass.workspace.matrix(gate.rows, gate.columns)
    glu(gate, up, layer.activation, into: h)
    return h
  }

  func output(into y: Matrix, _ pass: Pass) {
    let mark = pass.workspace.mark
    layer.down.forward(h(pass), into: y, pass)
    pass.workspace.release(to: mark)
  }

  func backward(_ dy: Matrix, x: Matrix, into dx: Matrix, _ pass: Pass) {
    let mark = pass.workspace.mark
    let h = h(pass)
    layer.down.addGradients(dy, x: h, pass)
    // h has served.
    layer.down.inputGradient(dy, into: h, pass)
    gluGradient(h, gate, up, layer.activation, dgate: gate, dup: up)
    pass.workspace.release(to: mark)
    layer.gate.backward(gate, x: x, into: dx, pass)
    layer.up.backward(up, x: x, into: dx, accumulate: true, pass)
  }
}
