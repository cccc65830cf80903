/// A stream of random numbers that is a pure function of its key and position, independent of every other stream:
/// SplitMix64's output function over a counter (Steele et al., 2014).
public struct RandomStream: Equatable, Sendable, RandomNumberGenerator {
  /// Names the stream.
  public let key: UInt64
  /// Numbers drawn so far.
  public private(set) var position: UInt64

  /// The stream named by a seed and a path of numbers: (seed, step, prompt index, sample index), say.
  public init(seed: UInt64, _ path: UInt64...) {
    key = path.reduce(Self.mix(seed)) { Self.mix($0 ^ Self.mix($1 &+ 0x9E37_79B9_7F4A_7C15)) }
    position = 0
  }

  /// 64 random bits.
  public mutating func next() -> UInt64 {
    position &+= 1
    return Self.mix(key &+ position &* 0x9E37_79B9_7F4A_7C15)
  }

  /// Uniform in [0, 1), 53 bits.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Uniform in 0 ..< bound; bound must be positive.
  public mutating func integer(below bound: Int) -> Int {
    Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(truncatingIfNeeded: max(bound, 1))).high)
  }

  /// Puts the elements in random order (Fisher–Yates), the same for the same stream on every platform.
  public mutating func shuffle<T>(_ elements: inout [T]) {
    for last in elements.indices.dropFirst().reversed() { elements.swapAt(last, integer(below: last + 1)) }
  }

  private static func mix(_ input: UInt64) -> UInt64 {
    var x = input
    x = (x ^ (x >> 30)) &* 0xBF58_476D_1CE4_E5B9
    x = (x ^ (x >> 27)) &* 0x94D0_49BB_1331_11EB
    return x ^ (x >> 31)
  }
}
