import Kernels

/// How much the routers' losses weigh in a step's loss.
package struct RouterLosses {
  /// Of the architecture's load-balancing loss.
  package var auxiliary: Double
  /// Of the router z-loss.
  package var z: Double
  /// Of all passes of the step; nil where one pass is the step.
  package var step: RouterTally?

  package init(auxiliary: Double = 0, z: Double = 0, step: RouterTally? = nil) {
    self.auxiliary = auxiliary
    self.z = z
    self.step = step
  }

  package var isNone: Bool { auxiliary == 0 && z == 0 }
}

/// The router losses' gradients in one pass, once its forward pass is done.
struct RouterGradients {
  private let losses: RouterLosses
  private let record: RouterRecord
  private let step: RouterTally
  private let countedAcrossLayers: [Double]

  init(_ losses: RouterLosses, _ record: RouterRecord) {
    self.losses = losses
    self.record = record
    step = losses.step ?? record.tally
    countedAcrossLayers = step.countedAcrossLayers
  }

  /// Adds the gradient of a layer's logits [T, E].
  func add(
    layer index: Int, _ logits: Matrix, _ routing: Routing, _ rule: RoutingRule, _ workspace: Workspace,
    to dlogits: Matrix
  ) {
    guard step.tokens > 0, let position = record.layers.firstIndex(where: { $0.index == index }) else { return }
    let z = losses.z / Double(step.tokens * record.layers.count)
    let lse = RouterRecord.lse(logits, workspace)
    routerLossGradient(
      logits, routing, lse: lse, rule, segment: record.segment, balance: balance(position),
      z: record.uses.map { Float(Double($0) * z) }, addingTo: dlogits)
  }

  /// [S, E]: the derivative of the load-balancing loss, times its coefficient, in the probabilities of a segment's tokens.
  private func balance(_ position: Int) -> [Float] {
    let layer = record.layers[position]
    let (experts, perToken, tokens) = (Double(layer.experts), Double(layer.perToken), Double(step.tokens))
    guard losses.auxiliary > 0, let balancing = record.balancing else {
      return Array(repeating: 0, count: record.uses.count * layer.experts)
    }
    switch balancing {
    case .acrossLayers:
      let rows = tokens * Double(record.layers.count)
      return everySegment(countedAcrossLayers, times: losses.auxiliary * experts / (rows * rows))
    case .perLayer:
      return everySegment(
        step.layers[position].counted.map(Double.init),
        times: losses.auxiliary * experts / (perToken * tokens * tokens))
    case .perSequence, .perSequenceByScore:
      var balance = Array(repeating: 0.0, count: record.uses.count * layer.experts)
      for sequence in record.sequences {
        let tokens = Double(record.tokens(sequence))
        let factor = losses.auxiliary * experts / (perToken * tokens * tokens * Double(step.sequences))
        let segments = [sequence.prompt] + (sequence.own.map { [$0] } ?? [])
        for expert in 0..<layer.experts {
          let places = segments.map { $0 * layer.experts + expert }
          let counted = places.reduce(0) { $0 + Int(layer.counted[$1]) }
          for place in places { balance[place] += factor * Double(counted) }
        }
      }
      return balance.map(Float.init)
    }
  }

  private func everySegment(_ counted: [Double], times factor: Double) -> [Float] {
    record.uses.flatMap { uses in counted.map { Float(Double(uses) * factor * $0) } }
  }
}
