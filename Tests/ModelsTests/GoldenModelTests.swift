import Foundation
import Kernels
import Models
import TestSupport
import Testing
import Values

/// Whole models against transformers, on checkpoints whose every parameter matters.
@Suite(.machine) struct GoldenModelTests {
  static let names = ["llama", "llama_tied", "qwen3_moe"]

  @Test(
    arguments: names + [
      "llama_sharded", "llama_float16", "llama_bfloat16", "qwen3_moe_sharded",
      "qwen3_moe_float16", "qwen3_moe_bfloat16",
    ])
  func logits(_ name: String) throws {
    // The copies in other formats have golden logits, and the sequences, of the model they were made from.
    let base = try #require(Self.names.filter { name.hasPrefix($0) }.max { $0.count < $1.count })
    let golden = try Golden(base)
    let folder = Golden.models + "/" + name
    let network = try Golden.network(folder)
    let tensors = try GoldenTensors(name.hasSuffix("sharded") ? golden.folder : folder)
    for (index, sequence) in try golden.sequences().enumerated() {
      let ids = sequence.prompt + sequence.completion
      let expected = try tensors.values("logits.\(index)")
      let vocabulary = network.plan.vocabulary
      for length in 1...ids.count {
        let logits = network.logits(after: Array(ids.prefix(length)))
        #expect(largestDifference(logits, expected[(length - 1) * vocabulary..<length * vocabulary]) < 2e-5)
      }
    }
  }

  @Test(arguments: names) func logProbabilities(_ name: String) throws {
    let golden = try Golden(name)
    for (temperature, key) in [(Float(1), "logprobs"), (0.7, "logprobs_at_temperature")] {
      let scored = golden.network.logProbabilities(try golden.trees(), temperature: temperature)
      for (sequence, logp) in zip(try golden.sequences(), scored.logp.joined()) {
        let expected = try numbers(sequence.json[key]).map(Float.init)
        #expect(logp.count == expected.count)
        #expect(largestDifference(logp, expected) < 2e-5)
      }
    }
    let entropies = try golden.sequences().flatMap { try numbers($0.json["entropy"]) }
    let entropy = golden.network.logProbabilities(try golden.trees()).entropy
    #expect(abs(entropy - entropies.reduce(0, +) / Double(entropies.count)) < 1e-5)
  }

  @Test(arguments: names) func gradients(_ name: String) throws {
    let golden = try Golden(name)
    let sequences = try golden.sequences()
    golden.network.accumulateGradient(try golden.trees()) { _ in
      [[sequences[0].coefficients, sequences[1].coefficients], [sequences[2].coefficients]]
    }
    let tensors = try GoldenTensors(golden.folder)
    for parameter in golden.network.parameters.tensors {
      let expected = try tensors.values("grad." + parameter.name)
      let largest = expected.reduce(0) { max($0, abs($1)) }
      #expect(largest > 0, "a parameter without a gradient proves nothing")
      let difference = largestDifference(golden.network.parameters.gradient(parameter), expected)
      #expect(difference <= 2e-5 * largest, "\(parameter.name)")
    }
  }

  /// The same gradients whether the prompt is shared or not, up to the order of sums.
  @Test(arguments: names) func sharedPromptsGiveTheSameGradients(_ name: String) throws {
    let golden = try Golden(name)
    let sequences = try golden.sequences()
    golden.network.accumulateGradient(try golden.trees()) { _ in
      [[sequences[0].coefficients, sequences[1].coefficients], [sequences[2].coefficients]]
    }
    let shared = golden.network.parameters.tensors.map(golden.network.parameters.gradient)
    golden.network.parameters.zeroGradients()
    for sequence in sequences {
      golden.network.accumulateGradient([sequence.tree]) { _ in [[sequence.coefficients]] }
    }
    for (parameter, expected) in zip(golden.network.parameters.tensors, shared) {
      let largest = expected.reduce(0) { max($0, abs($1)) }
      let alone = golden.network.parameters.gradient(parameter)
      #expect(largestDifference(alone, expected) <= 1e-5 * largest, "\(parameter.name)")
    }
  }

  @Test func configurationsOfBothTransformersVersions() throws {
    for name in Self.names {
      let folder = Golden.models + "/" + name
      let text = try String(contentsOfFile: folder + "/config.v4.json", encoding: .utf8)
      let table = try #require(JSON.parse(text, source: "config.v4.json").table)
      let old = try Network(Configuration(table, source: "config.v4.json"))
      let new = try Golden(name).network
      #expect(old.parameters.tensors.map(\.name) == new.parameters.tensors.map(\.name))
      #expect(old.parameterCount == new.parameterCount)
    }
  }
}
