import Kernels

/// Rows of some matrices that go to rows of others, to be read much later.
package struct RowMoves {
  private var runs: [Segment] = []

  package init() {}

  package mutating func append(_ row: Int, to other: Int) {
    if let last = runs.last, Int(last.row + last.rows) == row, Int(last.kv + last.rows) == other {
      runs[runs.count - 1].rows += 1
    } else {
      runs.append(Segment(row: Int32(row), rows: 1, kv: Int32(other), span: 0, spans: 0))
    }
  }

  func move(_ matrices: [(x: TokenRows, y: Matrix)]) { placeRows(matrices, of: runs, isFar: true) }
}
