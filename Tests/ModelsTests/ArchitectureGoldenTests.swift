import Foundation
import Models
import TestSupport
import Testing
import Values

/// Every architecture against transformers in float64, on checkpoints whose every parameter matters.
@Suite(.machine) struct ArchitectureGoldenTests {
  /// Two and a half times what transformers' own float32 is off, and never less than this.
  static func tolerance(_ golden: Golden, _ key: String, atLeast least: Double) throws -> Float {
    Float(max(2.5 * (try #require(golden.json["noise"]?[key]?.number)), least))
  }

  @Test(arguments: Golden.architectures) func logits(_ name: String) throws {
    let golden = try Golden(architecture: name)
    let tensors = try GoldenTensors(golden.folder)
    let tolerance = try Self.tolerance(golden, "logits", atLeast: 2e-6)
    for (index, sequence) in try golden.sequences().enumerated() {
      let ids = sequence.prompt + sequence.completion
      let expected = try tensors.values("logits.\(index)")
      let vocabulary = golden.network.plan.vocabulary
      for length in 1...ids.count {
        let logits = golden.network.logits(after: Array(ids.prefix(length)))
        let difference = largestDifference(logits, expected[(length - 1) * vocabulary..<length * vocabulary])
        #expect(difference <= tolerance, "after \(length) tokens")
      }
    }
  }

  @Test(arguments: Golden.architectures) func gradients(_ name: String) throws {
    let golden = try Golden(architecture: name)
    let sequences = try golden.sequences()
    golden.network.accumulateGradient(try golden.trees()) { _ in
      [[sequences[0].coefficients, sequences[1].coefficients], [sequences[2].coefficients]]
    }
    let tensors = try GoldenTensors(golden.folder)
    let tolerance = try Self.tolerance(golden, "grad", atLeast: 4e-6)
    let trained = golden.network.parameters.tensors.filter(\.isTrained)
    let expected = try trained.map { try tensors.values("grad." + $0.name) }
    let largest = expected.map { $0.reduce(0) { max($0, abs($1)) } }
    // A bias of k moves all scores of a query almost alike: what is left of its gradient is the rest of a cancellation,
    // as far off as the numbers that cancelled.
    let least = 0.05 * (largest.max() ?? 0)
    for ((tensor, expected), largest) in zip(zip(trained, expected), largest) {
      let difference = largestDifference(golden.network.parameters.gradient(tensor), expected)
      #expect(difference <= tolerance * max(largest, least), "\(tensor.name): \(difference / largest)")
    }
  }
}
