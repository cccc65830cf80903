import Kernels

/// Rows of some matrices that go to rows of others, to be read much later.
package struct RowMoves {
  /// Segments of one row.
  private(set) var rows: [Segment] = []

  package init() {}

  package mutating func append(_ row: Int, to other: Int) {
    rows.append(Segment(row: Int32(row), rows: 1, kv: Int32(other), span: 0, spans: 0))
  }

  func move(_ matrices: [(x: Matrix, y: Matrix)]) { placeRows(matrices, of: rows, isFar: true) }

  /// The same moves of K rows in place of each: those of x follow each other, row r of y is row `order`[r].
  func split(by perToken: Int, order: Indices) -> RowMoves {
    var parts = RowMoves()
    parts.rows.reserveCapacity(rows.count * perToken)
    for move in rows {
      for part in 0..<perToken {
        parts.append(Int(move.row) * perToken + part, to: order[Int(move.kv) * perToken + part])
      }
    }
    return parts
  }
}
