import Kernels

/// A router that sends each token to K experts, each a SwiGLU, and adds what they say, weighted by its rule. Tokens are sorted by expert, so that each expert's products are one.
package struct SparseFeedForward: FeedForward {
  let layer: Int
  let router: Linear
  let gate, up, down: [Parameter]
  let rule: RoutingRule
  /// [E], added to the scores for the choice alone; not trained.
  let correction: Parameter?
  package var experts: Int { gate.count }
  package var inactiveParameterCount: Int {
    (gate[0].count + up[0].count + down[0].count) * (experts - rule.perToken)
  }

  /// What the parameters are called.
  struct Names {
    var router = "gate"
    var gate = "gate_proj"
    var up = "up_proj"
    var down = "down_proj"

    static let mixtral = Names(gate: "w1", up: "w3", down: "w2")
  }

  /// - Parameters:
  ///   - name: what the parameters' names begin with.
  ///   - hidden: channels of each expert.
  ///   - isCorrected: whether the router has DeepSeek-V3's `e_score_correction_bias`.
  init(
    layer: Int, _ name: String, channels: Int, hidden: Int, experts: Int, rule: RoutingRule, isCorrected: Bool = false,
    names: Names = Names(), in store: ParameterStore
  ) {
    self.layer = layer
    self.rule = rule
    let bias = "\(name).\(names.router).e_score_correction_bias"
    correction =
      isCorrected ? store.vector([experts], .zeros, at: Placement(bias, [experts]), isTrained: false) : nil
    router = Linear(
      "\(name).\(names.router)", inputs: channels, outputs: experts, isSingle: true, in: store)
    let fused = name + ".experts.gate_up_proj"
    if store.isStored(fused) {
      let shape = [experts, 2 * hidden, channels]
      gate = store.experts(experts, hidden, channels) { .slice($0, of: fused, shape) }
      up = store.experts(experts, hidden, channels) { .slice($0, rowsFrom: hidden, of: fused, shape) }
      down = store.experts(experts, channels, hidden) {
        .slice($0, of: name + ".experts.down_proj", [experts, channels, hidden])
      }
    } else {
      gate = store.experts("\(name).experts.{}.\(names.gate).weight", experts, hidden, channels)
      up = store.experts("\(name).experts.{}.\(names.up).weight", experts, hidden, channels)
      down = store.experts("\(name).experts.{}.\(names.down).weight", experts, channels, hidden)
    }
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
    let routing = route(
      router.forward(x, pass), rule, correction: correction.map(parameters.vector), in: workspace)
    if pass.expertLoad.indices.contains(layer) {
      for expert in 0..<experts {
        pass.expertLoad[layer][expert] += routing.offsets[expert + 1] - routing.offsets[expert]
      }
    }
    let rows = x.rows * rule.perToken
    let sorted = workspace.matrix(rows, x.columns)
    gatherRows(x, routing.token, into: sorted)
    let gate = workspace.matrix(rows, self.gate[0].shape[0])
    let up = workspace.matrix(rows, self.up[0].shape[0])
    groupedProduct(sorted, parameters.weights(self.gate), offsets: routing.offsets, into: gate)
    groupedProduct(sorted, parameters.weights(self.up), offsets: routing.offsets, into: up)
    let h = workspace.matrix(rows, gate.columns)
    glu(gate, up, into: h)
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
    let dweights = workspace.matrix(x.rows, layer.rule.perToken)
    combineGradient(dout, y, routing, dx: dy, dweights: dweights)

    let dh = workspace.matrix(h.rows, h.columns)
    groupedProductWeightGradient(dy, h, offsets: offsets, addingTo: parameters.weightGradient(layer.down))
    groupedProductInputGradient(dy, parameters.weights(layer.down), offsets: offsets, into: dh)
    let dgate = workspace.matrix(h.rows, h.columns)
    let dup = workspace.matrix(h.rows, h.columns)
    gluGradient(dh, gate, up, dgate: dgate, dup: dup)

    let dsorted = workspace.matrix(sorted.rows, sorted.columns)
    groupedProductWeightGradient(dgate, sorted, offsets: offsets, addingTo: parameters.weightGradient(layer.gate))
    groupedProductInputGradient(dgate, parameters.weights(layer.gate), offsets: offsets, into: dsorted)
    groupedProductWeightGradient(dup, sorted, offsets: offsets, addingTo: parameters.weightGradient(layer.up))
    groupedProductInputGradient(dup, parameters.weights(layer.up), offsets: offsets, into: dsorted, accumulate: true)

    let dlogits = workspace.matrix(x.rows, layer.experts)
    routeGradient(dweights, routing, layer.rule, into: dlogits)
    let dx = workspace.matrix(x.rows, x.columns)
    layer.router.backward(dlogits, x: x, into: dx, pass)
    ungatherAdd(dsorted, routing, to: dx)
    return dx
  }
}
