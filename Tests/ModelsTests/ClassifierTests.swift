import Checkpoints
import Foundation
import Models
import TestSupport
import Testing
import Values

/// …ForSequenceClassification checkpoints that transformers saved, against its float64 values; Fixtures/README.md.
@Suite(.machine) struct ClassifierTests {
  static let names = ["gemma3_text", "llama", "llama_tied", "mixtral", "qwen3_moe"]

  private func golden(_ name: String) throws -> (network: Network, json: Value, trees: [SequenceTree]) {
    let network = try Golden.network(Fixtures.path("classifiers/\(name)"))
    let json = try Fixtures.json("classifiers/\(name)/golden.json")
    let sequences = try #require(json["sequences"]?.array).map {
      (prompt: try ids($0["prompt"]), completion: try ids($0["completion"]))
    }
    // The first two share their prompt.
    let trees = [
      SequenceTree(prompt: sequences[0].prompt, branches: [sequences[0].completion, sequences[1].completion]),
      SequenceTree(prompt: sequences[2].prompt, branches: [sequences[2].completion]),
    ]
    return (network, json, trees)
  }

  @Test(arguments: names) func scores(_ name: String) throws {
    let (network, json, trees) = try golden(name)
    #expect(network.isClassifier)
    let scores = network.logProbabilities(trees, reading: .ends).values.joined().map { $0[0] }
    let noise = try #require(json["noise"]?["scores"]?.number)
    for (score, expected) in zip(scores, try numbers(json["scores"])) {
      #expect(abs(Double(score) - expected) < 4 * noise)
    }
    #expect(scores.count == 3)
    // Alone and in a tree, bit for bit.
    let tree = SequenceTree(prompt: trees[0].prompt, branches: [trees[0].branches[1]])
    #expect(network.logProbabilities([tree], reading: .ends).values[0][0][0] == scores[1])
  }

  @Test(arguments: names) func gradients(_ name: String) throws {
    let (network, json, trees) = try golden(name)
    let coefficients = try numbers(json["coefficients"]).map(Float.init)
    network.zeroGradients()
    network.accumulateGradient(trees, reading: .ends) { _ in
      Network.ReadingGradient(values: [[[coefficients[0]], [coefficients[1]]], [[coefficients[2]]]])
    }
    let tensors = try GoldenTensors(Fixtures.path("classifiers/\(name)"))
    let tolerance = Float(5 * (try #require(json["noise"]?["grad"]?.number)))
    var seen = 0
    for (tensor, store) in network.savedTensors() {
      let expected = try tensors.values("grad." + tensor.name)
      let largest = expected.reduce(0) { max($0, abs($1)) }
      let difference = largestDifference(store.gradient(tensor), expected)
      #expect(difference <= tolerance * largest, "\(tensor.name): \(difference / largest)")
      if tensor.name == ScoreHead.tensor { seen += 1 }
    }
    #expect(seen == 1)
  }

  /// What a pass reads of a language model does not depend on whether it has a value head.
  @Test func aValueHeadLeavesThePolicyAsItIs() throws {
    let golden = try Golden("llama")
    let before = golden.network.logProbabilities(try golden.trees())
    try golden.network.addValueHead()
    let after = golden.network.logProbabilities(try golden.trees(), reading: .tokensAndValues)
    #expect(after.logp == before.logp)
    #expect(after.values.map { $0.map(\.count) } == after.logp.map { $0.map(\.count) })
    #expect(after.values.joined().joined().allSatisfy { $0 == 0 }, "a new value head says 0")
    #expect(!golden.network.savedTensors().contains { $0.tensor.name == ScoreHead.tensor })
    #expect(golden.network.savedTensors(withHead: true).contains { $0.tensor.name == ScoreHead.tensor })
  }

  @Test func anArchitectureWithoutAClassifierSaysSo() throws {
    let network = try Golden.network(Fixtures.path("architectures/olmoe"))
    let error = #expect(throws: GRAOError.self) { try network.becomeClassifier(seed: 0) }
    #expect(error?.message.contains("no sequence classification for the architecture 'olmoe'") == true)
  }
}
