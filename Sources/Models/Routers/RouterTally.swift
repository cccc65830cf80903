import Foundation

/// What the routers did with the tokens of some sequences, a shared prompt counted for each sequence: as if each stood
/// alone. Tallies of passes add up to that of a step, however it was cut.
package struct RouterTally {
  package struct Layer {
    /// Of the decoder's layers.
    package let index: Int
    let perToken: Int
    /// Tokens that chose each expert.
    package internal(set) var load: [Int]
    /// The same as the load-balancing loss counts them.
    var counted: [Int]
    /// The sum of each expert's probabilities.
    var probability: [Double]
    /// Σ over sequences of E / K Σ_e f_e P_e.
    var sequenceBalance = 0.0
    /// Σ lse².
    var squares = 0.0

    package init(index: Int, perToken: Int, load: [Int]) {
      self.index = index
      self.perToken = perToken
      self.load = load
      counted = load
      probability = load.map(Double.init)
    }

    var balance: Double { zip(counted, probability).reduce(0) { $0 + Double($1.0) * $1.1 } }
  }

  /// The layers that route, in order.
  package internal(set) var layers: [Layer] = []
  /// Tokens read of all sequences: all but the last of each, which is only predicted.
  package internal(set) var tokens = 0
  package internal(set) var sequences = 0

  package init() {}

  init(tokens: Int, sequences: Int) {
    self.tokens = tokens
    self.sequences = sequences
  }

  package static func += (sum: inout RouterTally, other: RouterTally) {
    sum.tokens += other.tokens
    sum.sequences += other.sequences
    if sum.layers.isEmpty {
      sum.layers = other.layers
      return
    }
    for (index, layer) in other.layers.enumerated() {
      for expert in layer.load.indices {
        sum.layers[index].load[expert] += layer.load[expert]
        sum.layers[index].counted[expert] += layer.counted[expert]
        sum.layers[index].probability[expert] += layer.probability[expert]
      }
      sum.layers[index].sequenceBalance += layer.sequenceBalance
      sum.layers[index].squares += layer.squares
    }
  }

  /// The load-balancing loss; nil where no router saw a token.
  package func auxiliaryLoss(_ balancing: LoadBalancing) -> Double? {
    guard let first = layers.first, tokens > 0 else { return nil }
    let tokens = Double(tokens)
    switch balancing {
    case .acrossLayers:
      let (counted, rows) = (countedAcrossLayers, tokens * Double(layers.count))
      let probability = first.probability.indices.map { expert in
        layers.reduce(0) { $0 + $1.probability[expert] }
      }
      return Double(counted.count) / (rows * rows) * zip(counted, probability).reduce(0) { $0 + $1.0 * $1.1 }
    case .perLayer:
      return layers.reduce(0) {
        $0 + Double($1.load.count) / (Double($1.perToken) * tokens * tokens) * $1.balance
      }
    case .perSequence, .perSequenceByScore:
      return layers.reduce(0) { $0 + $1.sequenceBalance } / Double(sequences)
    }
  }

  /// ST-MoE's router z-loss (arXiv 2202.08906, eq. 5): the mean over tokens and layers of the square of the log of the sum
  /// of the logits' exponentials; nil where no router saw a token.
  package var zLoss: Double? {
    guard !layers.isEmpty, tokens > 0 else { return nil }
    return layers.reduce(0) { $0 + $1.squares } / Double(tokens * layers.count)
  }

  /// Choices of each expert over all layers.
  var countedAcrossLayers: [Double] {
    (layers.first?.counted.indices ?? 0..<0).map { expert in
      Double(layers.reduce(0) { $0 + $1.counted[expert] })
    }
  }
}

extension RouterTally.Layer {
  /// The largest share of the choices that one expert got, times the experts, minus 1.
  package var maximumViolation: Double {
    let total = load.reduce(0, +)
    guard total > 0, let largest = load.max() else { return 0 }
    return Double(largest) / Double(total) * Double(load.count) - 1
  }

  /// Of the experts' shares of the choices, in nats: log E where they are equal.
  package var entropy: Double {
    let total = Double(load.reduce(0, +))
    return load.reduce(0) { sum, count in
      guard count > 0 else { return sum }
      let share = Double(count) / total
      return sum - share * log(share)
    }
  }

  /// Experts that no token chose.
  package var deadExperts: Int { load.count { $0 == 0 } }
}
