import Checkpoints
import Foundation
import Kernels
import Models
import Sampling
import TestSupport
import Testing
import Values

/// What sampling reports is what training computes, as bits, for every architecture.
@Suite(.machine) struct ArchitectureSamplingTests {
  /// Prompts of several lengths, one longer than a page of the cache, two with a common beginning, each with several
  /// samples on two threads and one.
  @Test(arguments: Golden.architectures, ComputeType.allCases)
  func samplingAndTrainingAgree(_ name: String, _ computeType: ComputeType) throws {
    let model = try Model.load(Fixtures.path("architectures/\(name)"), computeType: computeType)
    let prompts: [[Int32]] = [
      [5], Array(3..<20), Array(repeating: 7, count: 3), [9, 8, 7, 6], [9, 8, 7, 6, 5, 4], Array(20..<58),
    ]
    var options = GenerationOptions()
    options.samples = 3
    options.maxNewTokens = 40
    options.seed = 4
    let threads = Machine.threads
    defer { Machine.threads = threads }
    for (count, temperature) in [(1, Float(1)), (2, 1), (2, 0.7), (1, 0), (2, 0)] {
      Machine.threads = count
      options.temperature = temperature
      let results = try model.generate(prompts.map { .ids($0) }, options)
      for (prompt, completions) in zip(prompts, results) {
        let tree = SequenceTree(prompt: prompt, branches: completions.map(\.ids))
        let scored = model.network.logProbabilities([tree]).logp[0]
        for (completion, logp) in zip(completions, scored) {
          #expect(completion.ids.count > 0)
          #expect(completion.logprobs.map(\.bitPattern) == logp.map(\.bitPattern))
        }
      }
    }
  }

  /// Loaded and saved, every tensor is the same, under the same name.
  @Test(arguments: Golden.architectures) func aRoundTripIsExact(_ name: String) throws {
    let folder = Fixtures.path("architectures/\(name)")
    let place = TemporaryPath()
    try Model.load(folder).save(place.path)
    let (before, after) = (try openTensors(folder), try openTensors(place.path))
    #expect(before.keys.sorted() == after.keys.sorted())
    for (name, tensor) in before {
      #expect(after[name]?.shape == tensor.shape, "\(name)")
      #expect(after[name]?.bits == tensor.bits, "\(name)")
    }
  }

  private func openTensors(_ folder: String) throws -> [String: (shape: [Int], bits: [UInt32])] {
    let checkpoint = try openCheckpoint(folder)
    return try checkpoint.tensors.mapValues { info in
      var elements = [Float](repeating: 0, count: info.elementCount)
      try elements.withUnsafeMutableBufferPointer { try checkpoint.read(info.name, into: $0) }
      return (info.shape, elements.map(\.bitPattern))
    }
  }
}
