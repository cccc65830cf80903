/// What a tracked value has numbers for. A value of fewer numbers stretches to one of more: a scalar to every sequence, a
/// sequence's number to each of its tokens, that of an only sequence to all.
public enum TrackedShape {
  case scalar
  /// One number for each of so many sequences.
  case sequences(Int)
  /// One number for each token of some sequences.
  case tokens(TokenLayout)

  /// Numbers in all.
  public var count: Int {
    switch self {
    case .scalar: 1
    case .sequences(let count): count
    case .tokens(let layout): layout.sequence.count
    }
  }

  /// For messages.
  public var words: String {
    switch self {
    case .scalar: "a number"
    case .sequences(let count): "a number for each of \(count) sequences"
    case .tokens(let layout): "a number for each token of \(layout.sequences) sequences"
    }
  }
}

/// The tokens of some sequences, one after the other.
public final class TokenLayout {
  /// How many there are.
  public let sequences: Int
  /// For each token the sequence that it belongs to.
  let sequence: [Int]
  /// For each token whether it is trained on.
  let isTrained: [Bool]
  /// For each sequence how many of its tokens are trained on.
  let trained: [Int]

  init(_ sequences: [SequenceTokens]) {
    self.sequences = sequences.count
    sequence = sequences.enumerated().flatMap { index, tokens in tokens.logp.map { _ in index } }
    isTrained = sequences.flatMap { tokens in tokens.logp.indices.map { tokens.isTrained($0) } }
    trained = sequences.map(\.trainedCount)
  }
}

/// The shape of two values together, and for each of its numbers which number of either value it is made of (nil: the
/// one of the same place).
struct Broadcast {
  let shape: TrackedShape
  let left: [Int]?
  let right: [Int]?

  /// Nil where the two do not fit.
  init?(_ left: TrackedShape, _ right: TrackedShape) {
    guard let shape = Self.join(left, right) else { return nil }
    self.shape = shape
    self.left = Self.places(left, in: shape)
    self.right = Self.places(right, in: shape)
  }

  private static func join(_ left: TrackedShape, _ right: TrackedShape) -> TrackedShape? {
    switch (left, right) {
    case (.scalar, _): return right
    case (_, .scalar): return left
    case (.sequences(let a), .sequences(let b)): return a == b || b == 1 ? left : a == 1 ? right : nil
    case (.tokens(let layout), .sequences(let count)): return count == layout.sequences || count == 1 ? left : nil
    case (.sequences(let count), .tokens(let layout)): return count == layout.sequences || count == 1 ? right : nil
    case (.tokens(let a), .tokens(let b)): return a === b ? left : nil
    }
  }

  private static func places(_ part: TrackedShape, in shape: TrackedShape) -> [Int]? {
    switch (part, shape) {
    case (.tokens, _), (.scalar, .scalar): return nil
    case (.sequences(let count), .sequences(let all)) where count == all: return nil
    case (.sequences(let count), .tokens(let layout)) where count > 1: return layout.sequence
    case (.scalar, _), (.sequences, _): return Array(repeating: 0, count: shape.count)
    }
  }
}
