import Foundation
import Values

/// Rows in epochs, each epoch all rows once in a random order of its own. A step that crosses the end of an epoch goes
/// on into the next. The order is a pure function of (seed, epoch).
public struct EpochOrder: Equatable, Sendable {
  /// How many there are.
  public let rows: Int
  /// Names the orders, together with the epoch.
  public let seed: UInt64
  /// From 0.
  public private(set) var epoch = 0
  /// How many rows of the epoch have been given out.
  public private(set) var position = 0
  private var order: [Int] = []

  /// - Parameter rows: how many; at least 1.
  public init(rows: Int, seed: UInt64) {
    self.rows = max(rows, 1)
    self.seed = seed
    shuffle()
  }

  /// The indices of the next rows.
  public mutating func next(_ count: Int) -> [Int] {
    var indices: [Int] = []
    indices.reserveCapacity(max(count, 0))
    while indices.count < count {
      if position == rows {
        epoch += 1
        position = 0
        shuffle()
      }
      let part = order[position..<min(rows, position + count - indices.count)]
      indices += part
      position += part.count
    }
    return indices
  }

  private mutating func shuffle() {
    order = Array(0..<rows)
    var stream = RandomStream(seed: seed, Streams.epochOrder, UInt64(epoch))
    stream.shuffle(&order)
  }
}

/// The first numbers of the paths of random streams that are not a completion's, so that no two purposes share one.
package enum Streams {
  /// Of ``EpochOrder``.
  package static let epochOrder: UInt64 = 0x6570_6F63_6800
  /// Of ``WeightedDraw``.
  package static let weightedDraw: UInt64 = 0x6472_6177_0000
}

/// Rows drawn in proportion to their weights.
public enum WeightedDraw {
  /// The indices of `count` rows. No row is drawn twice as long as there is another of positive weight; then the draw
  /// begins anew. A pure function of its arguments: a curriculum's order has no other state than the step.
  /// - Parameters:
  ///   - weights: one for each row, finite, at least 0, not all 0.
  ///   - step: from 1; it also names the step in errors.
  public static func draw(_ count: Int, weights: [Double], step: Int, seed: UInt64) throws(GRAOError) -> [Int] {
    for (row, weight) in weights.enumerated() where !(weight.isFinite && weight >= 0) {
      throw GRAOError(
        "curriculum: the weight of row \(row + 1) at step \(step) is \(weight), not a number of 0 or more")
    }
    let greatest = weights.max() ?? 0
    guard greatest > 0 else { throw GRAOError("curriculum: every row has weight 0 at step \(step)") }
    let candidates = weights.indices.filter { weights[$0] > 0 }
    var stream = RandomStream(seed: seed, Streams.weightedDraw, UInt64(bitPattern: Int64(step)))
    var drawn: [Int] = []
    while drawn.count < count {
      // Rows that arrive after exponential waiting times, their weights as rates, arrive in the order of draws in
      // proportion to weight without replacement (Efraimidis and Spirakis, 2006).
      let arrivals = candidates.map { row in
        (time: -log(1 - stream.uniform()) / max(weights[row] / greatest, .leastNonzeroMagnitude), row: row)
      }
      let order = arrivals.sorted { ($0.time, $0.row) < ($1.time, $1.row) }
      drawn += order.prefix(count - drawn.count).map(\.row)
    }
    return drawn
  }
}

/// What training has seen of one row: a curriculum's `row.seen` and `row.reward_mean`.
public struct RowHistory: Equatable, Sendable {
  /// How often the row was drawn.
  public private(set) var seen = 0
  private var rewards = 0
  private var rewardSum = 0.0

  /// Of a row not yet drawn.
  public init() {}

  /// The mean reward of all its samples so far; nil before there are any.
  public var rewardMean: Double? { rewards > 0 ? rewardSum / Double(rewards) : nil }

  /// The row was drawn, and its samples earned these rewards.
  public mutating func record(rewards earned: [Double]) {
    seen += 1
    rewards += earned.count
    rewardSum += earned.reduce(0, +)
  }
}
