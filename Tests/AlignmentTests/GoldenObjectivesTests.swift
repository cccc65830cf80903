import Alignment
import Foundation
import Testing
import Values

/// Losses, parts, advantages and gradients of torch's float64 autograd, written by Tests/Oracles/make_objectives.py.
private func golden(_ method: String) throws -> [Value] {
  let file = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../Fixtures/objectives/objectives.json")
  let value = try JSON.parse(Foundation.Data(contentsOf: file), source: "objectives.json")
  return try #require(value[method]?.array)
}

private func numbers(_ value: Value?) throws -> [Double] { try #require(value?.array).compactMap(\.number) }
private func number(_ value: Value?) throws -> Double { try #require(value?.number) }

private func sequence(_ value: Value?, _ role: SequenceTokens.Role) throws -> SequenceTokens {
  SequenceTokens(
    role: role, logp: try numbers(value?["logp"]), mask: try numbers(value?["mask"]).map { $0 != 0 },
    reward: value?["reward"]?.number)
}

struct GoldenObjectivesTests {
  @Test func sft() throws {
    let cases = try golden("sft")
    #expect(cases.count >= 8)
    for example in cases {
      let name = try #require(example["name"]?.string)
      let normalization = try #require(Normalization(rawValue: example["normalization"]?.string ?? ""))
      let groups = try #require(example["sequences"]?.array).map {
        ObjectiveGroup(sequences: [try sequence($0, .reference)])
      }
      let batch = batch(of: groups, roles: [.reference])
      let values = groups.map { SFTObjective(normalization: normalization).evaluate($0, in: batch) }
      #expect(abs(values.reduce(0) { $0 + $1.loss } - (try number(example["loss"]))) < 1e-14, "\(name)")
      for (value, expected) in zip(values, try #require(example["dlogp"]?.array)) {
        expectClose(value.gradient[0], try numbers(expected), within: 1e-15)
      }
    }
  }

  @Test func grao() throws {
    let cases = try golden("grao")
    #expect(cases.count >= 50)
    for example in cases {
      let name = try #require(example["name"]?.string)
      let objective = GRAOObjective(
        weights: GRAOWeights(
          exploration: try number(example["weights"]?["exploration"]),
          imitation: try number(example["weights"]?["imitation"]),
          regularizer: try number(example["weights"]?["regularizer"])),
        advantage: AdvantageOptions(
          group: try #require(AdvantageOptions.Group(rawValue: example["group"]?.string ?? "")),
          scale: try #require(AdvantageOptions.Scale(rawValue: example["scale"]?.string ?? "")),
          epsilon: try number(example["epsilon"])))
      let groups = try #require(example["groups"]?.array).map { group in
        let samples = try #require(group["samples"]?.array).map { try sequence($0, .sample) }
        return ObjectiveGroup(sequences: samples + [try sequence(group["reference"], .reference)])
      }
      let batch = batch(of: groups, roles: [.sample, .reference])
      let values = groups.map { objective.evaluate($0, in: batch) }

      // R − μ loses digits in torch where rewards are large beside their differences; ours does not.
      let rewards = groups.flatMap { $0.sequences.compactMap(\.reward) }
      let deviations = groups.map { Moments(of: $0.sequences.compactMap(\.reward)).deviation }.filter { $0 > 0 }
      let condition = (rewards.map(abs).max() ?? 0) / (deviations.min() ?? 1)
      let tolerance = 1e-14 + 0x1p-50 * condition

      var totals = ["loss": values.reduce(0) { $0 + $1.loss }]
      for part in values.flatMap(\.parts) { totals[part.name, default: 0] += part.value }
      for key in ["loss", "exploration", "imitation", "regularizer"] {
        let (value, expected) = (try #require(totals[key]), try number(example[key]))
        #expect(abs(value - expected) <= tolerance * max(1, abs(expected)), "\(name): \(key)")
      }
      let (advantages, gradients) = (example["advantages"]?.array ?? [], example["dlogp"]?.array ?? [])
      #expect(advantages.count == groups.count && gradients.count == groups.count)
      for (value, (advantage, gradient)) in zip(values, zip(advantages, gradients)) {
        let expected = try numbers(advantage["samples"]) + [number(advantage["reference"])]
        expectClose(value.advantages.compactMap(\.self), expected, within: tolerance)
        let rows = try #require(gradient["samples"]?.array) + [try #require(gradient["reference"])]
        #expect(rows.count == value.gradient.count, "\(name)")
        for (row, expected) in zip(value.gradient, rows) { expectClose(row, try numbers(expected), within: tolerance) }
      }
    }
  }
}
