import CKernels
import Testing

extension Numbers {
  /// About normal: the sum of 12 uniform numbers.
  mutating func normals(_ count: Int, deviation: Float = 1) -> [Float] {
    (0..<count).map { _ in
      deviation * ((0..<12).reduce(Float(-6)) { sum, _ in sum + Float(next() >> 40) / 16_777_216 })
    }
  }

  /// 0 ..< count in some order.
  mutating func permutation(_ count: Int) -> [Int32] {
    var order = Array(Int32(0)..<Int32(count))
    for i in order.indices { order.swapAt(i, i + below(order.count - i)) }
    return order
  }

  /// Each below `bound`.
  mutating func indices(_ count: Int, below bound: Int) -> [Int32] { (0..<count).map { _ in Int32(below(bound)) } }
}

func zeros(_ count: Int) -> [Double] { [Double](repeating: 0, count: count) }

/// Memory that the operation is to fill.
func unwritten(_ count: Int) -> [Float] { [Float](repeating: .nan, count: count) }

/// Rows in the opposite order, `stride` apart with NaNs between them, and an index that names them in the order of before.
func scattered(_ x: [Float], columns: Int, with stride: Int = 2) -> (rows: [Float], index: [Int32]) {
  let count = columns == 0 ? 0 : x.count / columns
  var rows = unwritten(count * stride * columns)
  let index = (0..<count).map { Int32((count - 1 - $0) * stride) }
  for (row, place) in index.enumerated() {
    rows.replaceSubrange(
      Int(place) * columns..<(Int(place) + 1) * columns, with: x[row * columns..<(row + 1) * columns])
  }
  return (rows, index)
}

/// The largest difference, as a part of the largest number; infinite where there is a NaN.
func relativeError(_ a: [Float], _ b: [Double]) -> Double { relativeError(a.doubles, b) }

func relativeError(_ a: [Double], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  var difference = 0.0
  for (x, y) in zip(a, b) {
    guard !(x - y).isNaN else { return .infinity }
    difference = max(difference, abs(x - y))
  }
  return difference / max(b.reduce(0) { max($0, abs($1)) }, .leastNormalMagnitude)
}

/// The gradient of `f` at x by central differences of fourth order.
func centralDifferences(_ x: [Double], _ f: ([Double]) -> Double) -> [Double] {
  let step = 1e-3
  return x.indices.map { i in
    func at(_ offset: Double) -> Double {
      var moved = x
      moved[i] += offset * step
      return f(moved)
    }
    return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step)
  }
}

func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

/// What `compute` gives with one thread, for every variant; two and three threads must give the same bits.
func onEveryVariant(
  sourceLocation: SourceLocation = #_sourceLocation, _ compute: () -> [[Float]],
  check: (_ variant: String, _ results: [[Float]]) -> Void
) {
  for variant in variants {
    let alone = with(variant: variant, threads: 1) { compute() }
    for threads: Int32 in [2, 3] {
      let together = with(variant: variant, threads: threads) { compute() }
      let comment: Comment = "\(variant), \(threads) threads"
      #expect(alone.map(\.bits) == together.map(\.bits), comment, sourceLocation: sourceLocation)
    }
    check(variant, alone)
  }
}
