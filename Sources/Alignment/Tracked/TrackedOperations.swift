import Foundation
import Values

/// What a user's objective can do with tracked values.
extension TrackedValue {
  // MARK: Of two values

  /// Element by element, as the others; throws where the shapes do not go together.
  public static func + (left: TrackedValue, right: TrackedValue) throws(GRAOError) -> TrackedValue {
    try left.combined(right, "+") { x, y in (x + y, 1, 1) }
  }

  public static func - (left: TrackedValue, right: TrackedValue) throws(GRAOError) -> TrackedValue {
    try left.combined(right, "-") { x, y in (x - y, 1, -1) }
  }

  public static func * (left: TrackedValue, right: TrackedValue) throws(GRAOError) -> TrackedValue {
    try left.combined(right, "*") { x, y in (x * y, y, x) }
  }

  public static func / (left: TrackedValue, right: TrackedValue) throws(GRAOError) -> TrackedValue {
    try left.combined(right, "/") { x, y in (x / y, 1 / y, -x / (y * y)) }
  }

  /// Where the two are equal each gets half of the derivative, as in torch.
  public func min(_ other: TrackedValue) throws(GRAOError) -> TrackedValue {
    try combined(other, "min") { x, y in x < y ? (x, 1, 0) : x > y ? (y, 0, 1) : (x, 0.5, 0.5) }
  }

  /// The larger of each pair; of equal ones the derivative is shared.
  public func max(_ other: TrackedValue) throws(GRAOError) -> TrackedValue {
    try combined(other, "max") { x, y in x > y ? (x, 1, 0) : x < y ? (y, 0, 1) : (x, 0.5, 0.5) }
  }

  /// 1 where the comparison holds, else 0: a mask, through which no derivative passes.
  public func compared(
    _ other: TrackedValue, _ name: String, _ holds: (Double, Double) -> Bool
  ) throws(GRAOError) -> TrackedValue {
    let (broadcast, tape) = try fit(other, name)
    let mask = (0..<broadcast.shape.count).map { index in
      holds(numbers[broadcast.left?[index] ?? index], other.numbers[broadcast.right?[index] ?? index]) ? 1.0 : 0
    }
    return TrackedValue(broadcast.shape, mask, tape: tape)
  }

  /// This value being a mask: the first value where it is not 0, else the second.
  public func choosing(_ yes: TrackedValue, _ no: TrackedValue) throws(GRAOError) -> TrackedValue {
    // 0 · ∞ is no number, so the two are chosen from, not weighed.
    let mask = try combined(yes, "where") { mask, _ in (mask, 0, 0) }
    let first = try mask.masking(yes, where: { $0 != 0 })
    let second = try mask.masking(no, where: { $0 == 0 })
    return try first + second
  }

  /// `value` where the mask holds, else 0.
  private func masking(_ value: TrackedValue, where holds: (Double) -> Bool) throws(GRAOError) -> TrackedValue {
    try combined(value, "where") { mask, y in holds(mask) ? (y, 0, 1) : (0, 0, 0) }
  }

  // MARK: Of one value

  /// -x.
  public func negated() -> TrackedValue { mapped { (-$0, -1) } }

  /// exp(x).
  public func exponential() -> TrackedValue {
    mapped { x in
      let y = exp(x)
      return (y, y)
    }
  }

  /// ln(x).
  public func logarithm() -> TrackedValue { mapped { (log($0), 1 / $0) } }

  /// 1 / (1 + exp(-x)).
  public func logistic() -> TrackedValue {
    mapped { x in
      let y = sigmoid(x)
      return (y, y * sigmoid(-x))
    }
  }

  /// ln(1 / (1 + exp(-x))), exact where that is tiny.
  public func logLogistic() -> TrackedValue { mapped { (logSigmoid($0), sigmoid(-$0)) } }

  /// Within `low` and `high`, where given; no derivative passes outside.
  public func clamped(_ low: Double?, _ high: Double?) -> TrackedValue {
    let (low, high) = (low ?? -.infinity, high ?? .infinity)
    return mapped { x in x < low ? (low, 0) : x > high ? (high, 0) : (x, 1) }
  }

  /// The same numbers as a constant.
  public func detached() -> TrackedValue { tape?.detach(self) ?? self }

  // MARK: Of tokens to sequences, of sequences to a number

  /// Of a sequence's tokens that are trained on, or of all sequences.
  public func sum() -> TrackedValue { reduced { _ in 1 } }

  /// Likewise; 0 where there is nothing to take it of.
  public func mean() -> TrackedValue { reduced { $0 > 0 ? 1 / Double($0) : 0 } }

  /// - Parameter weight: of each of `count` numbers.
  private func reduced(_ weight: (_ count: Int) -> Double) -> TrackedValue {
    switch shape {
    case .scalar: return self
    case .sequences(let count):
      let weight = weight(count)
      let total = weight * numbers.reduce(0, +)
      return recorded(.scalar, [total]) { [place, count = numbers.count] derivative, derivatives in
        derivatives.add(Array(repeating: weight * derivative[0], count: count), to: place, at: nil)
      }
    case .tokens(let layout):
      let weights = layout.trained.map(weight)
      var sums = [Double](repeating: 0, count: layout.sequences)
      for (token, sequence) in layout.sequence.enumerated() where layout.isTrained[token] {
        sums[sequence] += numbers[token]
      }
      for sequence in sums.indices { sums[sequence] *= weights[sequence] }
      return recorded(.sequences(layout.sequences), sums) { [place] derivative, derivatives in
        let terms = layout.sequence.indices.map { token in
          layout.isTrained[token]
            ? weights[layout.sequence[token]] * derivative[layout.sequence[token]] : 0
        }
        derivatives.add(terms, to: place, at: nil)
      }
    }
  }

  // MARK: Making

  private func fit(_ other: TrackedValue, _ name: String) throws(GRAOError) -> (Broadcast, DerivativeTape?) {
    if let tape, let others = other.tape, tape !== others {
      throw GRAOError("'\(name)' of values of two different groups")
    }
    guard let broadcast = Broadcast(shape, other.shape) else {
      throw GRAOError("'\(name)' of \(shape.words) and \(other.shape.words)")
    }
    return (broadcast, tape ?? other.tape)
  }

  private func combined(
    _ other: TrackedValue, _ name: String,
    _ function: (Double, Double) -> (value: Double, byLeft: Double, byRight: Double)
  ) throws(GRAOError) -> TrackedValue {
    let (broadcast, tape) = try fit(other, name)
    let count = broadcast.shape.count
    var (values, byLeft, byRight) = ([Double](), [Double](), [Double]())
    values.reserveCapacity(count)
    for index in 0..<count {
      let result = function(
        numbers[broadcast.left?[index] ?? index], other.numbers[broadcast.right?[index] ?? index])
      values.append(result.value)
      if place != nil { byLeft.append(result.byLeft) }
      if other.place != nil { byRight.append(result.byRight) }
    }
    guard let tape, place != nil || other.place != nil else {
      return TrackedValue(broadcast.shape, values, tape: tape)
    }
    let (left, right) = (place, other.place)
    return tape.record(broadcast.shape, values) { [byLeft, byRight] derivative, derivatives in
      if left != nil { derivatives.add(products(derivative, byLeft), to: left, at: broadcast.left) }
      if right != nil { derivatives.add(products(derivative, byRight), to: right, at: broadcast.right) }
    }
  }

  private func mapped(_ function: (Double) -> (value: Double, derivative: Double)) -> TrackedValue {
    var (values, slopes) = ([Double](), [Double]())
    values.reserveCapacity(numbers.count)
    for number in numbers {
      let (value, slope) = function(number)
      values.append(value)
      if place != nil { slopes.append(slope) }
    }
    return recorded(shape, values) { [place, slopes] derivative, derivatives in
      derivatives.add(products(derivative, slopes), to: place, at: nil)
    }
  }

  /// On the tape, where a derivative passes through this value.
  private func recorded(
    _ shape: TrackedShape, _ values: [Double], _ propagation: @escaping DerivativeTape.Propagation
  ) -> TrackedValue {
    guard let tape, place != nil else { return TrackedValue(shape, values, tape: tape) }
    return tape.record(shape, values, propagation)
  }
}

/// Term by term; where the derivative is 0 a slope that is no number does no harm.
private func products(_ derivative: [Double], _ slopes: [Double]) -> [Double] {
  zip(derivative, slopes).map { $0 == 0 ? 0 : $0 * $1 }
}
