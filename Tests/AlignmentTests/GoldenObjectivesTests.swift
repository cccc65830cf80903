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
    reward: value?["reward"]?.number, advantage: value?["advantage"]?.number)
}

/// A sequence that other policies have scored too.
private func policies(_ value: Value?, _ role: SequenceTokens.Role) throws -> SequenceTokens {
  var sequence = try sequence(value, role)
  sequence.behaviour = try numbers(value?["behaviour"])
  sequence.frozen = try numbers(value?["frozen"])
  return sequence
}

/// Compares the sum over groups of loss and gradients with an example's, whose gradients are in order of sequences.
private func expectGolden(_ values: [ObjectiveValue], _ example: Value, within tolerance: Double) throws {
  let (name, loss) = (example["name"]?.string ?? "", try number(example["loss"]))
  #expect(abs(values.reduce(0) { $0 + $1.loss } - loss) <= tolerance * max(1, abs(loss)), "\(name)")
  let (gradients, expected) = (values.flatMap(\.gradient), try #require(example["dlogp"]?.array))
  #expect(gradients.count == expected.count, "\(name)")
  for (row, expected) in zip(gradients, expected) { expectClose(row, try numbers(expected), within: tolerance) }
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
          regularizer: try number(example["weights"]?["regularizer"])))
      let options = AdvantageOptions(
        group: try #require(AdvantageOptions.Group(rawValue: example["group"]?.string ?? "")),
        scale: try #require(AdvantageOptions.Scale(rawValue: example["scale"]?.string ?? "")),
        epsilon: try number(example["epsilon"]))
      let unassigned = try #require(example["groups"]?.array).map { group in
        let samples = try #require(group["samples"]?.array).map { try sequence($0, .sample) }
        return ObjectiveGroup(sequences: samples + [try sequence(group["reference"], .reference)])
      }
      let groups = options.assigned(to: unassigned)
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
      for ((group, value), (advantage, gradient)) in zip(zip(groups, values), zip(advantages, gradients)) {
        let expected = try numbers(advantage["samples"]) + [number(advantage["reference"])]
        expectClose(group.sequences.compactMap(\.advantage), expected, within: tolerance)
        let rows = try #require(gradient["samples"]?.array) + [try #require(gradient["reference"])]
        #expect(rows.count == value.gradient.count, "\(name)")
        for (row, expected) in zip(value.gradient, rows) { expectClose(row, try numbers(expected), within: tolerance) }
      }
    }
  }

  /// The token, the sequence; clipped, CISPO; each normaliser, each KL. 28 are TRL's own numbers too.
  @Test func grpo() throws {
    let cases = try golden("grpo")
    #expect(cases.count == 96)
    for example in cases {
      let objective = GRPOObjective(
        ratio: RatioOptions(
          level: try #require(RatioOptions.Level(rawValue: example["level"]?.string ?? "")),
          form: try #require(RatioOptions.Form(rawValue: example["form"]?.string ?? "")),
          low: try number(example["low"]), high: try number(example["high"])),
        normalization: try #require(Normalization(rawValue: example["normalization"]?.string ?? "")),
        longest: try #require(example["longest"]?.integer), klCoefficient: try number(example["kl_coefficient"]),
        klEstimate: try #require(KLEstimate(rawValue: example["kl_estimate"]?.string ?? "")))
      // Each sample as a group of its own: the batch carries the normaliser.
      let groups = try #require(example["samples"]?.array).map { sample in
        var sequence = try policies(sample, .sample)
        if objective.klCoefficient == 0 { sequence.frozen = nil }
        return ObjectiveGroup(sequences: [sequence])
      }
      let batch = batch(of: groups, roles: objective.roles)
      try expectGolden(groups.map { objective.evaluate($0, in: batch) }, example, within: 4e-15)
    }
  }

  @Test func dpo() throws {
    let cases = try golden("dpo")
    #expect(cases.count == 24)
    for example in cases {
      let objective = DPOObjective(
        DPOOptions(
          loss: try #require(DPOOptions.Loss(rawValue: example["kind"]?.string ?? "")),
          beta: try number(example["beta"]), labelSmoothing: try number(example["label_smoothing"]),
          gamma: try number(example["gamma"])))
      let groups = try #require(example["pairs"]?.array).map { pair in
        ObjectiveGroup(sequences: [try policies(pair["chosen"], .chosen), try policies(pair["rejected"], .rejected)])
      }
      let batch = batch(of: groups, roles: objective.roles)
      try expectGolden(groups.map { objective.evaluate($0, in: batch) }, example, within: 1e-14)
    }
  }

  @Test func kto() throws {
    let cases = try golden("kto")
    #expect(cases.count == 6)
    for example in cases {
      let objective = KTOObjective(
        KTOOptions(
          beta: try number(example["beta"]), desirableWeight: try number(example["desirable_weight"]),
          undesirableWeight: try number(example["undesirable_weight"])),
        referencePoint: try number(example["reference_point"]))
      let groups = try #require(example["responses"]?.array).map { response in
        ObjectiveGroup(sequences: [try policies(response, response["role"] == "chosen" ? .chosen : .rejected)])
      }
      let batch = batch(of: groups, roles: objective.roles)
      try expectGolden(groups.map { objective.evaluate($0, in: batch) }, example, within: 1e-14)
    }
  }
}
