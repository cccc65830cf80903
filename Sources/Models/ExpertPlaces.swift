import Kernels

/// Where the checkpoints of an architecture have its experts.
struct ExpertShape {
  let count: Int
  /// C.
  let channels: Int
  /// F, of each expert.
  let hidden: Int
}

extension ExpertWeights {
  /// What the matrices of experts that are stored one by one are called.
  struct Names {
    var gate = "gate_proj"
    var up = "up_proj"
    var down = "down_proj"

    static let mixtral = Names(gate: "w1", up: "w3", down: "w2")
  }

  /// One by one under `name`.experts.N, or, where the checkpoint has that, stacked as experts.gate_up_proj [E, 2F, C] and
  /// experts.down_proj [E, C, F].
  init(_ name: String, _ shape: ExpertShape, _ names: Names = Names(), in store: ParameterStore) {
    let fused = name + ".experts.gate_up_proj"
    if store.isStored(fused) {
      self.init(gateUp: fused, down: name + ".experts.down_proj", shape, in: store)
      return
    }
    func one(_ part: String, _ outputs: Int, _ inputs: Int) -> GroupedLinear {
      GroupedLinear(weights: store.experts("\(name).experts.{}.\(part).weight", shape.count, outputs, inputs))
    }
    self.init(
      gate: one(names.gate, shape.hidden, shape.channels), up: one(names.up, shape.hidden, shape.channels),
      down: one(names.down, shape.channels, shape.hidden))
  }

  /// Stacked: tensors [E, 2F, C], gate before up, and [E, C, F].
  init(gateUp: String, down: String, _ shape: ExpertShape, in store: ParameterStore) {
    let (count, channels, hidden) = (shape.count, shape.channels, shape.hidden)
    func half(_ first: Int) -> GroupedLinear {
      GroupedLinear(
        weights: store.experts(count, hidden, channels) {
          .slice($0, rowsFrom: first, of: gateUp, [count, 2 * hidden, channels])
        })
    }
    self.init(
      gate: half(0), up: half(hidden),
      down: GroupedLinear(
        weights: store.experts(count, channels, hidden) { .slice($0, of: down, [count, channels, hidden]) }))
  }

  /// gpt-oss's: `name`.gate_up_proj [E, C, 2F], gate and up alternating, and `name`.down_proj [E, F, C], both the
  /// transpose of what ``GroupedLinear`` has, and their biases [E, 2F] and [E, C].
  init(interleaved name: String, _ shape: ExpertShape, in store: ParameterStore) {
    let (count, channels, hidden) = (shape.count, shape.channels, shape.hidden)
    let (gateUp, down) = (name + ".gate_up_proj", name + ".down_proj")
    func alternate(_ first: Int) -> [Parameter] {
      store.experts(count, hidden, channels) {
        Placement(
          gateUp, [count, channels, 2 * hidden], offset: $0 * channels * 2 * hidden + first, rowStride: 2,
          columnStride: 2 * hidden)
      }
    }
    func alternateBias(_ first: Int) -> Parameter {
      store.vector(
        [count, hidden], .zeros,
        at: Placement(
          gateUp + "_bias", [count, 2 * hidden], offset: first, rowStride: 2 * hidden, columnStride: 2))
    }
    self.init(
      gate: GroupedLinear(weights: alternate(0), bias: alternateBias(0)),
      up: GroupedLinear(weights: alternate(1), bias: alternateBias(1)),
      down: GroupedLinear(
        weights: store.experts(count, channels, hidden) {
          Placement(
            down, [count, hidden, channels], offset: $0 * hidden * channels, rowStride: 1, columnStride: channels)
        },
        bias: store.vector([count, channels], .zeros, at: Placement(down + "_bias", [count, channels]))))
  }
}

extension SparseFeedForward {
  /// With a router `name`.gate and experts `name`.experts.
  /// - Parameter isCorrected: whether the router has DeepSeek-V3's `e_score_correction_bias`.
  init(
    layer: Int, _ name: String, _ shape: ExpertShape, rule: RoutingRule, isCorrected: Bool = false,
    names: ExpertWeights.Names = ExpertWeights.Names(), in store: ParameterStore
  ) {
    // Declared in this order, which names the random numbers of a new model.
    let correction = isCorrected ? store.correction("\(name).gate.e_score_correction_bias", shape.count) : nil
    self.init(
      layer: layer,
      router: Linear(name + ".gate", inputs: shape.channels, outputs: shape.count, in: store),
      weights: ExpertWeights(name, shape, names, in: store), rule: rule, correction: correction)
  }
}

extension ParameterStore {
  fileprivate func correction(_ tensor: String, _ experts: Int) -> Parameter {
    vector([experts], .zeros, at: Placement(tensor, [experts]), isTrained: false)
  }
}
