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
    let x, gate, up, h: Matrix
  }

  package func forward(_ x: Matrix, _ pass: Pass) -> (y: Matrix, kept: any Record) {
    let gate = self.gate.forward(x, pass)
    let up = self.up.forward(x, pass)
    let h = pass.workspace.matrix(gate.rows, gate.columns)
    glu(gate, up, activation, into: h)
    return (down.forward(h, pass), Kept(layer: self, x: x, gate: gate, up: up, h: h))
  }
}

extension SwiGLU.Kept {
  func backward(_ dy: Matrix, _ pass: Pass) -> Matrix {
    let workspace = pass.workspace
    let dh = workspace.matrix(h.rows, h.columns)
    layer.down.backward(dy, x: h, into: dh, pass)
    let dgate = workspace.matrix(h.rows, h.columns)
    let dup = workspace.matrix(h.rows, h.columns)
    gluGradient(dh, gate, up, layer.activation, dgate: dgate, dup: dup)
    let dx = workspace.matrix(x.rows, x.columns)
    layer.gate.backward(dgate, x: x, into: dx, pass)
    layer.up.backward(dup, x: x, into: dx, accumulate: true, pass)
    return dx
  }
}
