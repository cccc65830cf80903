import Testing
import Values

struct RandomStreamTests {
  /// The first outputs of SplitMix64 seeded with 1234567, as Vigna's splitmix64.c prints them.
  @Test func theReferenceSequence() {
    // The seed whose stream has that key.
    var stream = RandomStream(seed: 4_860_507_420_001_330_595)
    #expect(stream.key == 1_234_567)
    let expected: [UInt64] = [
      6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
      16_408_922_859_458_223_821,
    ]
    #expect(expected.map { _ in stream.next() } == expected)
  }

  @Test func pathsNameDifferentStreams() {
    var keys: Set<UInt64> = []
    var count = 0
    for seed in UInt64(0)..<20 {
      for a in UInt64(0)..<20 {
        keys.insert(RandomStream(seed: seed, a).key)
        for b in UInt64(0)..<20 {
          keys.insert(RandomStream(seed: seed, a, b).key)
          count += 1
        }
        count += 1
      }
    }
    #expect(keys.count == count)
  }

  @Test func uniformFillsTheUnitInterval() {
    var stream = RandomStream(seed: 1)
    let numbers = (0..<100_000).map { _ in stream.uniform() }
    #expect(numbers.allSatisfy { (0..<1).contains($0) })
    // The mean of n uniforms has standard deviation 1/√(12 n): 0.00091.
    #expect(abs(numbers.reduce(0, +) / 100_000 - 0.5) < 4 * 0.00092)
    // 99.99 % of chi-squared with 99 degrees of freedom lies below 161.
    var counts = [Int](repeating: 0, count: 100)
    for number in numbers { counts[Int(number * 100)] += 1 }
    #expect(counts.reduce(0.0) { $0 + Double(($1 - 1000) * ($1 - 1000)) / 1000 } < 161)
  }

  @Test func neighbouringStreamsAreUncorrelated() {
    // First numbers of the streams of neighbouring samples: the ones that an order of prompts would share.
    let first = (0..<10_000).map { sample in
      var stream = RandomStream(seed: 0, 1, UInt64(sample))
      return stream.uniform() - 0.5
    }
    let correlation = zip(first, first.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 } * 12 / 9_999
    #expect(abs(correlation) < 4 / 100)
  }

  @Test func integersStayBelowTheirBound() {
    var stream = RandomStream(seed: 2)
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[stream.integer(below: 7)] += 1 }
    // 99.99 % of chi-squared with 6 degrees of freedom lies below 27.9.
    #expect(counts.reduce(0.0) { $0 + Double(($1 - 10_000) * ($1 - 10_000)) / 10_000 } < 27.9)
    #expect(stream.integer(below: 1) == 0)
  }
}
