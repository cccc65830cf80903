import Alignment
import Testing
import Values

struct EpochOrderTests {
  @Test func everyEpochHasEveryRowOnceInAnOrderOfItsOwn() {
    var order = EpochOrder(rows: 10, seed: 1)
    let epochs = (0..<3).map { _ in order.next(4) + order.next(6) }
    for epoch in epochs { #expect(epoch.sorted() == Array(0..<10)) }
    #expect(epochs[0] != epochs[1] && epochs[1] != epochs[2])
    #expect(order.epoch == 2 && order.position == 10)
    var other = EpochOrder(rows: 10, seed: 2)
    #expect(other.next(10) != epochs[0])
  }

  @Test func theSizeOfStepsDoesNotChangeTheOrder() {
    var (small, large) = (EpochOrder(rows: 7, seed: 3), EpochOrder(rows: 7, seed: 3))
    #expect((0..<30).flatMap { _ in small.next(1) } == large.next(30))
    #expect(small == large)
    #expect(large.next(0) == [])
  }

  @Test func everyRowComesFirstEquallyOften() {
    var counts = [Int](repeating: 0, count: 5)
    for seed in UInt64(0)..<5_000 {
      var order = EpochOrder(rows: 5, seed: seed)
      counts[order.next(1)[0]] += 1
    }
    // 1000 expected, standard deviation 28.
    #expect(counts.allSatisfy { abs($0 - 1000) < 4 * 28 })
  }
}

struct WeightedDrawTests {
  @Test func rowsAreDrawnInProportionToTheirWeights() throws {
    let weights = [1, 0, 2, 5, 2.0]
    var counts = [Int](repeating: 0, count: 5)
    for step in 1...10_000 { counts[try WeightedDraw.draw(1, weights: weights, step: step, seed: 9)[0]] += 1 }
    for (count, weight) in zip(counts, weights) {
      let expected = 1000 * weight
      #expect(abs(Double(count) - expected) <= 4 * (expected * (1 - weight / 10)).squareRoot())
    }
  }

  @Test func aSecondRowIsDrawnInProportionToTheWeightsLeft() throws {
    // P(first 0, then 1) = 1/6 · 2/5, and so on.
    let weights = [1, 2, 3.0]
    var counts: [[Int]: Int] = [:]
    for step in 1...20_000 { counts[try WeightedDraw.draw(2, weights: weights, step: step, seed: 4), default: 0] += 1 }
    for first in 0..<3 {
      for second in 0..<3 where second != first {
        let probability = weights[first] / 6 * weights[second] / (6 - weights[first])
        let deviation = (20_000 * probability * (1 - probability)).squareRoot()
        #expect(abs(Double(counts[[first, second]] ?? 0) - 20_000 * probability) < 4 * deviation)
      }
    }
  }

  @Test func noRowComesTwiceWhileAnotherIsLeft() throws {
    let weights = [1e-9, 0, 1, 1e9, 0, 3]
    for step in 1...100 {
      let drawn = try WeightedDraw.draw(10, weights: weights, step: step, seed: 0)
      #expect(Set(drawn[0..<4]) == [0, 2, 3, 5])
      #expect(Set(drawn[4..<8]) == [0, 2, 3, 5])
      #expect(Set(drawn[8...]).count == 2)
    }
  }

  @Test func extremeWeightsAreFinite() throws {
    let weights = [Double.leastNonzeroMagnitude, .greatestFiniteMagnitude, .greatestFiniteMagnitude]
    #expect(try Set(WeightedDraw.draw(2, weights: weights, step: 1, seed: 0)) == [1, 2])
    #expect(try Set(WeightedDraw.draw(3, weights: weights, step: 1, seed: 0)) == [0, 1, 2])
  }

  @Test func aDrawIsAFunctionOfSeedAndStep() throws {
    let weights = (1...50).map(Double.init)
    let drawn = try WeightedDraw.draw(20, weights: weights, step: 3, seed: 1)
    #expect(try WeightedDraw.draw(20, weights: weights, step: 3, seed: 1) == drawn)
    #expect(try WeightedDraw.draw(20, weights: weights, step: 4, seed: 1) != drawn)
    #expect(try WeightedDraw.draw(20, weights: weights, step: 3, seed: 2) != drawn)
    // A larger draw begins with a smaller one.
    #expect(try WeightedDraw.draw(5, weights: weights, step: 3, seed: 1) == Array(drawn[..<5]))
  }

  @Test(arguments: [
    ([1, -0.5], "the weight of row 2 at step 7 is -0.5, not a number of 0 or more"),
    ([.nan, 1], "the weight of row 1 at step 7 is nan, not a number of 0 or more"),
    ([1, 2, .infinity], "the weight of row 3 at step 7 is inf, not a number of 0 or more"),
    ([0, 0], "every row has weight 0 at step 7"),
    ([], "every row has weight 0 at step 7"),
  ])
  func wrongWeightsNameRowAndStep(weights: [Double], message: String) throws {
    let error = try #require(throws: GRAOError.self) { try WeightedDraw.draw(1, weights: weights, step: 7, seed: 0) }
    #expect(error.message == "curriculum: " + message)
  }
}

struct RowHistoryTests {
  @Test func itKeepsTheMeanOfAllSamples() {
    var history = RowHistory()
    #expect(history.seen == 0 && history.rewardMean == nil)
    history.record(rewards: [1, 0, 0, 1])
    history.record(rewards: [])
    history.record(rewards: [2, 2])
    #expect(history.seen == 3 && history.rewardMean == 1)
  }
}
