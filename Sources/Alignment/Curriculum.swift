import Values

/// Says how often each row should be drawn: rows are drawn in proportion to their weights.
public protocol Curriculum: AnyObject {
  /// - Parameters:
  ///   - rows: the dataset's, each with its own history: `seen`, and `reward_mean` once it has been sampled.
  /// - Returns: for each row a finite number, 0 or more.
  func weights(of rows: [Table], at state: ScheduleState) throws -> [Double]
}

/// A curriculum from a closure.
public final class ClosureCurriculum: Curriculum {
  private let closure: (Table, ScheduleState) throws -> Double

  /// - Parameter closure: the weight of one row.
  public init(_ closure: @escaping (Table, ScheduleState) throws -> Double) { self.closure = closure }

  /// The closure's for each row.
  public func weights(of rows: [Table], at state: ScheduleState) throws -> [Double] {
    try rows.map { try closure($0, state) }
  }
}

/// Which rows a step takes.
struct RowSelection {
  let curriculum: (any Curriculum)?
  let seed: UInt64

  /// Indices of the next `count` rows: by the curriculum's weights, else the next of a seeded order by epochs.
  /// - Parameters:
  ///   - taken: what the step has drawn before.
  ///   - order: where the order by epochs stands; begun here, and left alone with a curriculum.
  func next(
    _ count: Int, of rows: [Table], after taken: [Int], at schedule: ScheduleState, history: [Int: RowHistory],
    _ order: inout EpochOrder?
  ) throws -> [Int] {
    guard let curriculum else {
      var going = order ?? EpochOrder(rows: rows.count, seed: seed)
      defer { order = going }
      return going.next(count)
    }
    let annotated = rows.enumerated().map { index, row in
      var row = row
      row["seen"] = .integer(history[index]?.seen ?? 0)
      row["reward_mean"] = history[index]?.rewardMean.map { .number($0) }
      return row
    }
    let weights = try curriculum.weights(of: annotated, at: schedule)
    guard weights.count == rows.count else {
      throw GRAOError("curriculum: \(weights.count) weights for \(rows.count) rows")
    }
    // A step's draw is one: what it has given out before, whatever the weights were then, is passed over.
    let drawn = try WeightedDraw.draw(taken.count + count, weights: weights, step: schedule.step, seed: seed)
    var passed = Dictionary(taken.map { ($0, 1) }, uniquingKeysWith: +)
    let fresh = drawn.filter { row in
      guard let times = passed[row], times > 0 else { return true }
      passed[row] = times - 1
      return false
    }
    return Array(fresh.prefix(count))
  }
}
