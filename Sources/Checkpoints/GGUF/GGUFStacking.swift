/// How a file's tensor, the weights [E, N, C] or the biases [E, N] of all experts, lies in the stack that a checkpoint has.
enum GGUFStacking {
  /// The same.
  case whole
  /// Half of the rows, the first (0) or the last (1): [E, 2N, C].
  case half(Int)
  /// Transposed: [E, C, N].
  case transposed
  /// Transposed, each other column, the even (0) or the odd (1) ones: [E, C, 2N]. Of biases: [E, 2N].
  case alternating(Int)

  /// How many of a file's tensors make a stack.
  var parts: Int {
    switch self {
    case .whole, .transposed: 1
    case .half, .alternating: 2
    }
  }

  /// The shape of the stack that a file's tensor is in.
  func stack(of shape: [Int]) -> [Int] {
    let (experts, rows) = (shape[0], parts * shape[1])
    guard shape.count == 3 else { return [experts, rows] }
    switch self {
    case .whole, .half: return [experts, rows, shape[2]]
    case .transposed, .alternating: return [experts, shape[2], rows]
    }
  }

  /// The shape of the file's tensor within a stack; nil where the stack does not divide.
  func part(of shape: [Int]) -> [Int]? {
    switch self {
    case .whole: return shape
    case .half:
      guard shape.count == 3, shape[1] % 2 == 0 else { return nil }
      return [shape[0], shape[1] / 2, shape[2]]
    case .transposed: return shape.count == 3 ? [shape[0], shape[2], shape[1]] : nil
    case .alternating:
      guard let columns = shape.last, columns % 2 == 0 else { return nil }
      return shape.count == 3 ? [shape[0], columns / 2, shape[1]] : [shape[0], columns / 2]
    }
  }

  /// Calls `body` with each index of an expert's part [N, C], row-major, and its place in the expert's part of the stack.
  @inline(__always)
  func forEachElement(of rows: Int, _ columns: Int, _ body: (_ index: Int, _ place: Int) -> Void) {
    let (first, rowStride, columnStride) =
      switch self {
      case .whole: (0, columns, 1)
      case .half(let half): (half * rows * columns, columns, 1)
      case .transposed: (0, 1, rows)
      case .alternating(let parity): (parity, 2, 2 * rows)
      }
    for row in 0..<rows {
      for column in 0..<columns { body(row * columns + column, first + row * rowStride + column * columnStride) }
    }
  }
}
