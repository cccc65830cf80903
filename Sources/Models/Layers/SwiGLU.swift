import Kernels

/// y = down(silu(gate(x)) · up(x)) (arXiv 2002.05202).
package struct SwiGLU: FeedForward {
  let gate, up, down: Linear
  package var experts: Int { 0 }
  package var inactiveParameterCount: Int { 0 }

  init(_ name: String, channels: Int, hidden: Int, bias: Bool = false, in store: ParameterStore) {
    gate = Linear(name + ".gate_proj", inputs: channels, outputs: hidden, bias: bias, in: store)
    up = Linear(name + ".up_proj", inputs: channels, outputs: hidden, bias: bias, in: store)
    down = Linear(name + ".down_proj", inputs: hidden, outputs: channels, bias: bias, in: store)
  }

  struct Kept: Record {
    let layer: SwiGLU
    let x, gate, up, h: Matrix
  }

  package func forward(_ x: Matrix, _ pass: Pass) -> (y: Matrix, kept: any Record) {
    let gate = self.gate.forward(x, pass)
    let up = self.up.forward(x, pass)
    let h = pass.workspace.matrix(gate.rows, gate.columns)
    glu(gate, up, into: h)
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
    gluGradient(dh, gate, up, dgate: dgate, dup: dup)
    let dx = workspace.matrix(x.rows, x.columns)
    layer.gate.backward(dgate, x: x, into: dx, pass)
    layer.up.backward(dup, x: x, into: dx, accumulate: true, pass)
    return dx
  }
}
