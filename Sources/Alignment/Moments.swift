/// Mean and standard deviation (1/n) of some numbers; both 0 where there are none.
package struct Moments: Sendable, Equatable {
  /// How many numbers.
  package let count: Int
  /// Exactly 0 if and only if the numbers are equal.
  package let deviation: Double
  // The mean is kept as a distance from one of the numbers: rewards that differ little beside their size keep their
  // differences.
  private let origin: Double
  private let offset: Double

  package init(of numbers: [Double]) {
    count = numbers.count
    origin = numbers.first ?? 0
    guard let origin = numbers.first, numbers.contains(where: { $0 != origin }) else {
      (offset, deviation) = (0, 0)
      return
    }
    let n = Double(numbers.count)
    let offset = numbers.reduce(0) { $0 + ($1 - origin) } / n
    // Squares relative to the greatest neither overflow nor vanish.
    let greatest = numbers.reduce(0) { max($0, abs($1 - origin - offset)) }
    let squares = numbers.reduce(0) { sum, number in
      let ratio = (number - origin - offset) / greatest
      return sum + ratio * ratio
    }
    self.offset = offset
    deviation = max(greatest * (squares / n).squareRoot(), .leastNonzeroMagnitude)
  }

  /// Their mean.
  package var mean: Double { origin + offset }

  /// number − mean
  package func centered(_ number: Double) -> Double { number - origin - offset }
}
