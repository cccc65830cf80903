import Kernels

/// The part of a decoder layer that works on each token by itself.
package protocol FeedForward: Layer {
  /// Experts of the layer, 0 for a dense one.
  var experts: Int { get }
  /// Parameters that a token does not use: those of the experts it is not routed to.
  var inactiveParameterCount: Int { get }
}

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
    swiglu(gate, up, into: h)
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
    swigluGradient(dh, gate, up, dgate: dgate, dup: dup)
    let dx = workspace.matrix(x.rows, x.columns)
    layer.gate.backward(dgate, x: x, into: dx, pass)
    layer.up.backward(dup, x: x, into: dx, accumulate: true, pass)
    return dx
  }
}

/// A router that sends each token to its K most probable experts, each a SwiGLU, and adds what they say in
/// proportion to their probabilities. Tokens are sorted by expert, so that each expert's products are one.
package struct SparseFeedForward: FeedForward {
  let layer: Int
  let router: Linear
  let gate, up, down: [Parameter]
  let perToken: Int
  /// Whether the chosen probabilities are divided by their sum.
  let normalize: Bool
  package var experts: Int { gate.count }
  package var inactiveParameterCount: Int {
    (gate[0].count + up[0].count + down[0].count) * (experts - perToken)
  }

  struct Kept: Record {
    let layer: SparseFeedForward
    let x: Matrix
    let routing: Routing
    /// Sorted rows: [T · K, …].
    let sorted, gate, up, h, y: Matrix
  }

  package func forward(_ x: Matrix, _ pass: Pass) -> (y: Matrix, kept: any Record) {
    let (parameters, workspace) = (pass.parameters, pass.workspace)
    let routing = route(router.forward(x, pass), perToken: perToken, normalize: normalize, in: workspace)
    if pass.expertLoad.indices.contains(layer) {
      for expert in 0..<experts {
        pass.expertLoad[layer][expert] += routing.offsets[expert + 1] - routing.offsets[expert]
      }
    }
    let rows = x.rows * perToken
    let sorted = workspace.matrix(rows, x.columns)
    gatherRows(x, routing.token, into: sorted)
    let gate = workspace.matrix(rows, self.gate[0].shape[0])
    let up = workspace.matrix(rows, self.up[0].shape[0])
    groupedProduct(sorted, parameters.weights(self.gate), offsets: routing.offsets, into: gate)
    groupedProduct(sorted, parameters.weights(self.up), offsets: routing.offsets, into: up)
    let h = workspace.matrix(rows, gate.columns)
    swiglu(gate, up, into: h)
    let expertOutput = workspace.matrix(rows, x.columns)
    groupedProduct(h, parameters.weights(down), offsets: routing.offsets, into: expertOutput)
    let y = workspace.matrix(x.rows, x.columns)
    combine(expertOutput, routing, into: y)
    return (y, Kept(layer: self, x: x, routing: routing, sorted: sorted, gate: gate, up: up, h: h, y: expertOutput))
  }
}

extension SparseFeedForward.Kept {
  func backward(_ dout: Matrix, _ pass: Pass) -> Matrix {
    let (parameters, workspace, offsets) = (pass.parameters, pass.workspace, routing.offsets)
    let dy = workspace.matrix(y.rows, y.columns)
    let dweights = workspace.matrix(x.rows, layer.perToken)
    combineGradient(dout, y, routing, dx: dy, dweights: dweights)

    let dh = workspace.matrix(h.rows, h.columns)
    groupedProductWeightGradient(dy, h, offsets: offsets, addingTo: parameters.weightGradient(layer.down))
    groupedProductInputGradient(dy, parameters.weights(layer.down), offsets: offsets, into: dh)
    let dgate = workspace.matrix(h.rows, h.columns)
    let dup = workspace.matrix(h.rows, h.columns)
    swigluGradient(dh, gate, up, dgate: dgate, dup: dup)

    let dsorted = workspace.matrix(sorted.rows, sorted.columns)
    groupedProductWeightGradient(dgate, sorted, offsets: offsets, addingTo: parameters.weightGradient(layer.gate))
    groupedProductInputGradient(dgate, parameters.weights(layer.gate), offsets: offsets, into: dsorted)
    groupedProductWeightGradient(dup, sorted, offsets: offsets, addingTo: parameters.weightGradient(layer.up))
    groupedProductInputGradient(dup, parameters.weights(layer.up), offsets: offsets, into: dsorted, accumulate: true)

    let dlogits = workspace.matrix(x.rows, layer.experts)
    routeGradient(dweights, routing, normalize: layer.normalize, into: dlogits)
    let dx = workspace.matrix(x.rows, x.columns)
    layer.router.backward(dlogits, x: x, into: dx, pass)
    ungatherAdd(dsorted, routing, to: dx)
    return dx
  }
}
