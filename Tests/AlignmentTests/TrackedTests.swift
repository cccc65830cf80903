import Foundation
import Testing
import Values

@testable import Alignment

/// A function in Swift, as an objective.
private final class Function: ObjectiveFunction {
  let body: (TrackedGroup) throws -> TrackedValue
  init(_ body: @escaping (TrackedGroup) throws -> TrackedValue) { self.body = body }
  func loss(_ group: TrackedGroup) throws -> (loss: TrackedValue, parts: [(name: String, value: TrackedValue)]) {
    (try body(group), [])
  }
}

private func objective(_ body: @escaping (TrackedGroup) throws -> TrackedValue) -> CustomObjective {
  CustomObjective(function: Function(body), needsSamples: false)
}

private let one = ObjectiveBatch(groups: 1, sequences: 1, tokens: 1)
private func number(_ value: Double) -> TrackedValue { TrackedValue(constant: value) }

/// Samples with advantages, a reference with one, all policies known.
private func group(_ stream: inout RandomStream) -> ObjectiveGroup {
  withPolicies(AdvantageOptions().assigned(to: randomGroup(samples: 3, &stream)), &stream)
}

/// What each operation makes of the samples' ratio (near 1) and log-probabilities (below 0): a number for each token.
private nonisolated(unsafe) let operations:
  [(name: String, of: (_ ratio: TrackedValue, TrackedSequences) throws -> TrackedValue)] = [
    ("+", { try $0 + $1.logp }), ("-", { try $0 - $1.logp }), ("*", { try $0 * $1.logp }), ("/", { try $1.logp / $0 }),
    ("number -", { ratio, _ in try number(2) - ratio }), ("/ number", { ratio, _ in try ratio / number(3) }),
    ("unary minus", { ratio, _ in ratio.negated() }), ("exp", { $1.logp.exponential() }),
    ("log", { ratio, _ in ratio.logarithm() }), ("sigmoid", { $1.logp.logistic() }),
    ("log sigmoid", { $1.logp.logLogistic() }), ("min", { try $0.min($1.logp + number(2.5)) }),
    ("max", { try $0.max($1.logp + number(2.5)) }), ("clamp", { ratio, _ in ratio.clamped(0.9, 1.15) }),
    ("clamp below", { ratio, _ in ratio.clamped(0.9, nil) }), ("clamp above", { ratio, _ in ratio.clamped(nil, 1.1) }),
    ("where", { try $1.logp.compared(number(-2), "gt", >).choosing($0, $1.logp * $1.logp) }),
    ("by sequence", { try $0 * $1.logp.mean() }), ("by advantage", { try $0 * #require($1.advantage) }),
    ("by a number", { try $0 * $1.logp.sum().sum() }), ("itself", { ratio, _ in try ratio * ratio }),
  ]

struct TrackedTests {
  @Test(arguments: operations.indices) func derivativesAgreeWithDifferences(_ operation: Int) throws {
    var stream = RandomStream(seed: 41)
    let objective = objective { group in
      let o = try #require(group.samples)
      let ratio = try (o.logp - o.oldLogp).exponential()
      // The weights of tokens differ, so that no place may be mistaken for another.
      let value = try operations[operation].of(ratio, o)
      return try (value * (o.oldLogp + o.length)).mean().sum()
    }
    for _ in 0..<10 { try checkGradient(objective, group(&stream), in: one, step: 1e-5, tolerance: 2e-8) }
  }

  @Test func anOnlySequenceStretchesToAll() throws {
    var stream = RandomStream(seed: 42)
    let objective = objective { group in
      let (o, y) = (try #require(group.samples), try #require(group.reference))
      return try (#require(o.advantage) * (o.logp.mean() - y.logp.mean()) * (y.logp.sum() * o.logp)).mean().mean()
    }
    for _ in 0..<10 { try checkGradient(objective, group(&stream), in: one, step: 1e-5, tolerance: 1e-8) }
  }

  @Test func builtInObjectivesAreReproduced() throws {
    var stream = RandomStream(seed: 43)
    let grpo = objective { group in
      let o = try #require(group.samples)
      let (ratio, a) = (try (o.logp - o.oldLogp).exponential(), try #require(o.advantage))
      return try (ratio * a).min(ratio.clamped(0.8, 1.2) * a).mean().mean().negated()
    }
    let cispo = objective { group in
      let o = try #require(group.samples)
      let ratio = try (o.logp - o.oldLogp).exponential().clamped(0.8, 1.2).detached()
      return try (ratio * #require(o.advantage) * o.logp).mean().mean().negated()
    }
    let gspo = objective { group in
      let o = try #require(group.samples)
      let (ratio, a) = (try (o.logp - o.oldLogp).mean().exponential(), try #require(o.advantage))
      return try (ratio * a).min(ratio.clamped(0.8, 1.2) * a).mean().negated()
    }
    let batch = ObjectiveBatch(groups: 1, sequences: 3, tokens: 1)
    for (own, ratio) in [
      (grpo, RatioOptions()), (cispo, RatioOptions(form: .cispo)), (gspo, RatioOptions(level: .sequence)),
    ] {
      for _ in 0..<20 {
        let group = group(&stream)
        let (a, b) = (try own.evaluate(group, in: batch), GRPOObjective(ratio: ratio).evaluate(group, in: batch))
        expectClose([a.loss], [b.loss], within: 1e-15)
        for (a, b) in zip(a.gradient, b.gradient) { expectClose(a, b, within: 1e-15) }
      }
    }
  }

  @Test func valuesThatDoNotFitSaySo() throws {
    var stream = RandomStream(seed: 44)
    let group = group(&stream)
    func failure(_ body: @escaping (TrackedGroup) throws -> TrackedValue) throws -> String {
      try message { try objective(body).evaluate(group, in: one) }
    }
    #expect(
      try failure { try $0.samples!.logp + $0.reference!.logp }
        == "'+' of a number for each token of 3 sequences and a number for each token of 1 sequences")
    #expect(
      try failure { $0.samples!.logp.mean() }
        == "the objective returned a number for each of 3 sequences for the loss, not a single number")
    var kept: TrackedValue?
    let keeps = objective { group in
      let loss = group.samples!.logp.mean().mean()
      defer { kept = loss }
      return try kept.map { try loss + $0 } ?? loss
    }
    _ = try keeps.evaluate(group, in: one)
    #expect(try message { try keeps.evaluate(group, in: one) } == "'+' of values of two different groups")
  }

  @Test func nothingIsKeptOfAGroup() throws {
    var stream = RandomStream(seed: 47)
    weak var tape: DerivativeTape?
    let objective = objective { group in
      let o = try #require(group.samples)
      tape = o.logp.tape
      let mask = try o.logp.compared(number(-2), "gt", >)
      return try mask.choosing(o.logp.exponential() * o.logp, o.oldLogp + o.logp.mean()).mean().sum()
    }
    _ = try objective.evaluate(group(&stream), in: one)
    #expect(tape == nil)
  }

  @Test func theCheckFindsAHiddenDependence() throws {
    var stream = RandomStream(seed: 45)
    let group = group(&stream)
    func check(_ body: @escaping (TrackedGroup) throws -> TrackedValue) throws {
      try DerivativeCheck(objective: objective(body)).check(group, place: 2)
    }
    try check { try ($0.samples!.logp - $0.samples!.oldLogp).exponential().mean().mean() }
    // What is detached is a constant, to differences as well.
    try check { try ($0.samples!.logp.detached() * $0.samples!.logp).mean().mean() }
    #expect(
      try message {
        try check { try ($0.samples!.logp * number($0.samples!.logp.numbers[0])).mean().mean() }
      }.hasPrefix("check: the derivative of the loss by log-probability 1 of sequence 1 in group 2 is "))
    var calls = 0.0
    #expect(
      try message {
        try check { group in
          calls += 1
          return try group.samples!.logp.mean().mean() + number(calls)
        }
      }.hasSuffix("for the same group 2"))
  }

  @Test func maskedTokensTakeNoPart() throws {
    let sample = SequenceTokens(role: .sample, logp: [-1, -1e30, -3], mask: [true, false, true], advantage: 1)
    let group = ObjectiveGroup(sequences: [sample])
    let value = try objective { try $0.samples!.logp.exponential().logarithm().mean().mean() * number(2) }
      .evaluate(group, in: one)
    expectClose([value.loss], [-4], within: 1e-14)
    expectClose(value.gradient[0], [1, 0, 1], within: 1e-14)
  }
}
