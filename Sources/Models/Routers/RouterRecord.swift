import Kernels

/// What the routers of one pass did, segment by segment, and how the segments make up sequences.
package final class RouterRecord {
  let balancing: LoadBalancing?
  let sequences: [SequenceSegments]
  /// Segment s has rows offsets[s] ..< offsets[s + 1].
  let offsets: [Int32]
  /// Of each row.
  let segment: [Int32]
  /// Sequences that each segment is a part of.
  let uses: [Int]
  /// In the order of the forward pass.
  private(set) var layers: [Layer] = []

  struct Layer {
    let index: Int
    let experts: Int
    let perToken: Int
    let sums: RouterSums
    /// [S, E]: choices as the load-balancing loss counts them.
    let counted: [Int32]
  }

  init(_ batch: TokenBatch, balancing: LoadBalancing?) {
    self.balancing = balancing
    sequences = batch.sequences
    offsets = batch.segments.map(\.row) + [Int32(batch.count)]
    segment = batch.segments.enumerated().flatMap { index, segment in
      Array(repeating: Int32(index), count: Int(segment.rows))
    }
    var uses = Array(repeating: 0, count: batch.segments.count)
    for sequence in sequences {
      uses[sequence.prompt] += 1
      if let own = sequence.own { uses[own] += 1 }
    }
    self.uses = uses
  }

  /// Takes down what a layer's router made of its logits [T, E].
  func record(layer: Int, _ logits: Matrix, _ routing: Routing, _ rule: RoutingRule, _ workspace: Workspace) {
    let mark = workspace.mark
    let lse = Self.lse(logits, workspace)
    let sums = routerSums(routing, lse: lse, rule, offsets: offsets)
    var counted = sums.chosen
    if case .perSequenceByScore = balancing {
      let bare = RoutingRule(perToken: rule.perToken, scoring: rule.scoring)
      counted = routerSums(route(logits, bare, in: workspace), lse: lse, bare, offsets: offsets).chosen
    }
    workspace.release(to: mark)
    layers.append(
      Layer(index: layer, experts: logits.columns, perToken: rule.perToken, sums: sums, counted: counted))
  }

  /// The log of the sum of the exponentials of logits [T, E]: [T, 1].
  static func lse(_ logits: Matrix, _ workspace: Workspace) -> Matrix {
    let lse = workspace.matrix(logits.rows, 1)
    logSoftmax(Rows(logits), temperature: 1, targets: nil, logp: nil, lse: lse, entropy: nil)
    return lse
  }

  func rows(_ segment: Int) -> Int { Int(offsets[segment + 1] - offsets[segment]) }

  /// Tokens that the pass reads of a sequence.
  func tokens(_ sequence: SequenceSegments) -> Int { rows(sequence.prompt) + (sequence.own.map(rows) ?? 0) }

  /// All segments together, each as often as sequences use it.
  var tally: RouterTally {
    var tally = RouterTally(tokens: sequences.reduce(0) { $0 + tokens($1) }, sequences: sequences.count)
    for layer in layers {
      var total = RouterTally.Layer(
        index: layer.index, perToken: layer.perToken, load: Array(repeating: 0, count: layer.experts))
      for (segment, uses) in uses.enumerated() {
        for expert in 0..<layer.experts {
          let at = segment * layer.experts + expert
          total.load[expert] += uses * Int(layer.sums.chosen[at])
          total.counted[expert] += uses * Int(layer.counted[at])
          total.probability[expert] += Double(uses) * layer.sums.probability[at]
        }
        total.squares += Double(uses) * layer.sums.squares[segment]
      }
      for sequence in sequences {
        let (segments, tokens) = ([sequence.prompt] + (sequence.own.map { [$0] } ?? []), Double(tokens(sequence)))
        var sum = 0.0
        for expert in 0..<layer.experts {
          let places = segments.map { $0 * layer.experts + expert }
          sum +=
            places.reduce(0.0) { $0 + Double(layer.counted[$1]) }
            * places.reduce(0.0) { $0 + layer.sums.probability[$1] }
        }
        total.sequenceBalance += Double(layer.experts) / (Double(layer.perToken) * tokens * tokens) * sum
      }
      tally.layers.append(total)
    }
    return tally
  }
}
