import Foundation
import Kernels
import Models
import TestSupport
import Testing
import Values

/// Models whose products compute in bfloat16.
@Suite(.machine) struct BFloat16ModelTests {
  static let rounded = ["gemma3_text", "llama-bias", "mixtral", "qwen2_moe", "qwen3_moe-window"]

  /// Against transformers in float64 with the operands of every product rounded (Tests/Oracles/make_bfloat16.py). What
  /// is left is float32's own rounding, and the few numbers that lie so close to the middle of two bfloat16 that it
  /// decides: an eighth of what the rounding itself changes, or in a sparse model, where such a number reaches many
  /// tensors, as much as float32 and noise of its size change in the oracle.
  @Test(arguments: rounded) func roundsWhereTheOracleDoes(_ name: String) throws {
    let golden = try Golden(architecture: name, computeType: .bfloat16)
    let tensors = try GoldenTensors(Fixtures.path("bfloat16"), file: "\(name).safetensors")
    let change = try #require(try Fixtures.json("bfloat16/rounding.json")[name])
    let logits = try Self.logits(golden)
    let allowed = try (
      logits: #require(change["logits"]?.number) / 8,
      gradients: max(#require(change["grad"]?.number) / 8, change["flips"]?.number ?? 0)
    )
    for (index, logits) in logits.enumerated() {
      let difference = Self.difference(logits, try tensors.values("logits.\(index)"))
      #expect(difference <= allowed.logits, "sequence \(index)")
    }
    // Each sequence by itself, as the oracle has them: where two share a prompt, its gradients add before they are
    // rounded.
    for tensor in try Self.gradients(golden, try golden.sequences().map(\.tree)) {
      let difference = Self.difference(tensor.gradient, try tensors.values("grad." + tensor.name))
      #expect(difference <= allowed.gradients, "\(tensor.name)")
    }
  }

  /// Against transformers in float64 on the weights as they are. A bfloat16 has 8 bits, so that operands are off by up to
  /// 2⁻⁹ of themselves; through the layers of these models that comes to a few per cent of a vector's length. In a
  /// sparse one a token on the border of two experts may go to the other.
  @Test(arguments: Golden.architectures) func staysNearTheExactModel(_ name: String) throws {
    let golden = try Golden(architecture: name, computeType: .bfloat16)
    let tensors = try GoldenTensors(golden.folder)
    let vocabulary = golden.network.plan.vocabulary
    for (index, logits) in try Self.logits(golden).enumerated() {
      let expected = try tensors.values("logits.\(index)")
      let rows = stride(from: 0, to: expected.count, by: vocabulary).map { row in
        Self.difference(Array(logits[row..<row + vocabulary]), Array(expected[row..<row + vocabulary]))
      }.sorted()
      let middle = rows[rows.count / 2]
      #expect(middle <= 0.03 && middle >= 0.001, "sequence \(index): \(middle)")
    }
    let allowed = golden.network.experts == 0 ? (middle: 0.04, whole: 0.06) : (middle: 0.15, whole: 0.15)
    // Tensors whose gradients cancel are off by more of themselves.
    let gradients = try Self.gradients(golden, try golden.trees())
    let expected = try gradients.map { try tensors.values("grad." + $0.name) }
    let differences = zip(gradients, expected).map { Self.difference($0.gradient, $1) }.sorted()
    #expect(differences[differences.count / 2] <= allowed.middle)
    let (all, exact) = (gradients.flatMap(\.gradient), expected.flatMap { $0 })
    #expect(Self.difference(all, exact) <= allowed.whole)
  }

  /// What is kept is the rounded weights and, from when it is asked for, exact masters that start as them.
  @Test func mastersBeginAsTheRoundedWeights() throws {
    let name = "qwen3_moe-window"
    let single = try Golden(architecture: name).network.parameters
    let network = try Golden(architecture: name, computeType: .bfloat16).network
    let half = network.parameters
    #expect(half.bytes < single.bytes * 6 / 10)
    let before = half.parameters.map(half.value)
    for (parameter, kept) in zip(single.parameters, before) {
      let exact = single.value(parameter)
      #expect(kept == (parameter.isSingle ? exact : exact.map(Self.rounded)), "\(parameter.placement.tensor)")
    }
    let logits = network.logits(after: [5, 6, 7])
    let all = half.all
    #expect(all.count == single.all.count)
    #expect(half.parameters.map(half.value) == before)
    // A change below half a unit of bfloat16 shows in the masters alone; a larger one in the products too.
    for i in 0..<all.count { all.start[i] *= 1 + 0x1p-12 }
    network.didTrain()
    let vectorsChanged = network.logits(after: [5, 6, 7])
    #expect(vectorsChanged != logits)
    for (parameter, old) in zip(half.parameters, before) {
      #expect(half.value(parameter) == old.map { $0 * (1 + 0x1p-12) }, "\(parameter.placement.tensor)")
    }
    for i in 0..<all.count { all.start[i] *= 1.5 }
    network.didTrain()
    #expect(network.logits(after: [5, 6, 7]) != vectorsChanged)
  }

  // MARK: Support

  private static func logits(_ golden: Golden) throws -> [[Float]] {
    try golden.sequences().map { sequence in
      let ids = sequence.prompt + sequence.completion
      return (1...ids.count).flatMap { golden.network.logits(after: Array(ids.prefix($0))) }
    }
  }

  private static func gradients(
    _ golden: Golden, _ trees: [SequenceTree]
  ) throws -> [(name: String, gradient: [Float])] {
    var coefficients = try golden.sequences().map(\.coefficients)[...]
    golden.network.accumulateGradient(trees) { _ in
      trees.map { tree in tree.branches.map { _ in coefficients.removeFirst() } }
    }
    let parameters = golden.network.parameters
    return parameters.tensors.filter(\.isTrained).map { ($0.name, parameters.gradient($0)) }
  }

  /// |a − b| / |b|, as lengths of vectors; infinite where one holds a NaN.
  private static func difference(_ a: [Float], _ b: [Float]) -> Double {
    var (apart, length) = (0.0, 0.0)
    for (x, y) in zip(a, b) {
      apart += (Double(x) - Double(y)) * (Double(x) - Double(y))
      length += Double(y) * Double(y)
    }
    let ratio = (apart / length).squareRoot()
    return a.count == b.count && ratio.isFinite ? ratio : .infinity
  }

  private static func rounded(_ x: Float) -> Float {
    let bits = x.bitPattern
    return Float(bitPattern: (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000)
  }
}
