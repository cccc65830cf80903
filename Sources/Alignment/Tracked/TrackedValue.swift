/// Numbers that know how they came about: what a user's objective computes with. The engine derives the loss by the
/// log-probabilities from it, in reverse, over whole arrays.
public final class TrackedValue {
  /// What there are numbers for.
  public let shape: TrackedShape
  /// In the order of sequences, and of their tokens.
  public let numbers: [Double]
  /// Of the group that it was made for; nil for a constant, which belongs to any.
  let tape: DerivativeTape?
  /// Its place on the tape; nil where no derivative passes through it.
  let place: TapePlace?

  init(_ shape: TrackedShape, _ numbers: [Double], tape: DerivativeTape? = nil, place: TapePlace? = nil) {
    self.shape = shape
    self.numbers = numbers
    self.tape = tape
    self.place = place
  }

  /// A number, through which nothing is derived.
  public convenience init(constant: Double) { self.init(.scalar, [constant]) }
}

/// Where a value of so many numbers stands on a tape. The tape keeps places, not values, which keep the tape.
struct TapePlace {
  let index: Int
  let count: Int
}

/// How the values of one group depend on each other, in the order in which they came about.
public final class DerivativeTape {
  /// Adds to the derivatives by earlier values what a value's own derivative makes of them.
  typealias Propagation = (_ derivative: [Double], _ derivatives: inout [[Double]?]) -> Void

  private var propagations: [Propagation] = []
  /// The numbers of every value that was detached, in order.
  private(set) var detached: [[Double]] = []
  /// Those of an earlier evaluation, which stand in for this one's: what is detached is a constant to differences too.
  private let replayed: [[Double]]?

  init(replaying detached: [[Double]]? = nil) { replayed = detached }

  /// A value that everything is derived by.
  func variable(_ shape: TrackedShape, _ numbers: [Double]) -> TrackedValue {
    record(shape, numbers) { _, _ in }
  }

  func record(_ shape: TrackedShape, _ numbers: [Double], _ propagation: @escaping Propagation) -> TrackedValue {
    propagations.append(propagation)
    return TrackedValue(
      shape, numbers, tape: self, place: TapePlace(index: propagations.count - 1, count: numbers.count))
  }

  func detach(_ value: TrackedValue) -> TrackedValue {
    var numbers = value.numbers
    if let replayed, replayed.indices.contains(detached.count), replayed[detached.count].count == numbers.count {
      numbers = replayed[detached.count]
    }
    detached.append(numbers)
    return TrackedValue(value.shape, numbers, tape: self)
  }

  /// ∂value/∂variable for each variable, the value being a single number.
  func derivatives(of value: TrackedValue, by variables: [TrackedValue]) -> [[Double]] {
    var derivatives = [[Double]?](repeating: nil, count: propagations.count)
    if let place = value.place {
      derivatives[place.index] = [1]
      for index in (0...place.index).reversed() {
        if let derivative = derivatives[index] { propagations[index](derivative, &derivatives) }
      }
    }
    return variables.map { variable in
      variable.place.flatMap { derivatives[$0.index] } ?? variable.numbers.map { _ in 0 }
    }
  }
}

extension [[Double]?] {
  /// Adds to the derivative by the value of a place: `terms` in its own order, or where `places` says.
  mutating func add(_ terms: [Double], to place: TapePlace?, at places: [Int]?) {
    guard let place else { return }
    var sum = self[place.index] ?? [Double](repeating: 0, count: place.count)
    self[place.index] = nil
    for (index, term) in terms.enumerated() where term != 0 { sum[places?[index] ?? index] += term }
    self[place.index] = sum
  }
}
