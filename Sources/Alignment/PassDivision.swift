/// How the groups of a step go through the model: consecutive ones together, as far as a bound on the rows of a pass
/// allows.
package enum PassDivision {
  /// The groups of each pass: as few passes as the bound allows, and the largest of them, which sets the memory, as small as
  /// that number of passes allows. A group of more rows than the bound has a pass of its own.
  /// - Parameter rows: of each group.
  package static func passes(ofRows rows: [Int], bound: Int) -> [Range<Int>] {
    let fewest = greedy(rows, bound).count
    var (small, large) = (1, bound)
    while small < large {
      let middle = small + (large - small) / 2
      if greedy(rows, middle).count > fewest { small = middle + 1 } else { large = middle }
    }
    return greedy(rows, large)
  }

  /// Rows of passes over groups of so many at most: where completions end early, more groups go together than planned, up to
  /// the bound.
  package static func sizes(ofRows rows: [Int], bound: Int) -> [Int] {
    let total = rows.reduce(0, +)
    return stride(from: 0, to: total, by: bound).map { min(total - $0, bound) }
  }

  /// Each pass takes what it can: no division has fewer.
  private static func greedy(_ rows: [Int], _ bound: Int) -> [Range<Int>] {
    var passes: [Range<Int>] = []
    var taken = 0
    for (index, rows) in rows.enumerated() {
      if let last = passes.last, taken + rows <= bound {
        passes[passes.count - 1] = last.lowerBound..<index + 1
        taken += rows
      } else {
        passes.append(index..<index + 1)
        taken = rows
      }
    }
    return passes
  }
}
