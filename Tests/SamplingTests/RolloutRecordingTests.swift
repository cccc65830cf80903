import Kernels
import Sampling
import TestSupport
import Testing
import Values

@testable import Models

/// What sampling leaves for the training pass that follows.
@Suite(.machine) struct RolloutRecordingTests {
  private static let prompts: [[Int32]] = [[5, 9, 2, 11, 4], Array(3..<20), [9, 8, 7, 6]]
  private static let samples = 5

  /// A rollout whose completions have different lengths, recorded for passes of so many rows as far as there is room.
  private func rollout(_ model: Model, passes: [Int], samples: Int = Self.samples) throws -> [[Completion]] {
    var options = GenerationOptions()
    options.samples = samples
    options.maxNewTokens = 14
    options.temperature = 1
    options.seed = 4
    return try model.generate(Self.prompts.map { .ids($0) }, options, recording: passes) { _ in }
  }

  /// What training sees of it: some completions, one cut short, and sequences that nobody sampled beside them.
  private func trees(_ completions: [[Completion]]) -> [SequenceTree] {
    let ids = completions.map { $0.map(\.ids) }
    return [
      SequenceTree(prompt: Self.prompts[0], branches: Array(ids[0].prefix(3)) + [[3, 1, 4, 1, 5]]),
      SequenceTree(prompt: [2, 7, 1], branches: [[8, 2, 8], [1]]),
      SequenceTree(prompt: Self.prompts[1], branches: [Array(ids[1][4].prefix(2)), ids[1][2], ids[1][0]]),
      SequenceTree(prompt: Self.prompts[2], branches: ids[2].reversed()),
    ]
  }

  /// Everything that a training pass gives, as bits.
  private func pass(
    _ network: Network, _ trees: [SequenceTree]
  ) -> (logp: [UInt32], gradients: [[UInt32]], load: [[Int]]) {
    network.parameters.zeroGradients()
    var (logp, load) = ([UInt32](), [[Int]]())
    network.accumulateGradient(trees, routerLosses: RouterLosses(auxiliary: 0.5, z: 0.25)) { scored in
      logp = scored.logp.joined().joined().map(\.bitPattern)
      load = scored.routers.layers.map(\.load)
      return scored.logp.map { $0.map { $0.indices.map { Float($0 % 3) - 0.5 } } }
    }
    let gradients = network.parameters.parameters.filter(\.isTrained).map { network.parameters.gradient($0) }
    return (logp, gradients.map { $0.map(\.bitPattern) }, load)
  }

  /// The bits of log-probabilities, gradients and router records are those of a pass that computes every row, whether all
  /// of the rollout was recorded, or some prompts had to give up their room, and in a second pass over the same. What is
  /// recorded for one pass serves one.
  @Test(arguments: Golden.architectures, ComputeType.allCases)
  func aRecordedPassGivesTheSameBits(_ name: String, _ computeType: ComputeType) throws {
    let model = try Model.load(Fixtures.path("architectures/\(name)"), computeType: computeType)
    let plain = try rollout(model, passes: [])
    let trees = trees(plain)
    let expected = pass(model.network, trees)
    #expect(expected.gradients.allSatisfy { $0.contains { $0 != 0 } }, "a parameter without a gradient proves nothing")
    for passes in [[200_000], [1000], [1000, 1000], [120], [40], [20, 20]] {
      let recorded = try rollout(model, passes: passes)
      #expect(recorded.map { $0.map(\.logprobs) } == plain.map { $0.map(\.logprobs) })
      #expect(model.network.activations != nil)
      for _ in 0..<2 {
        let found = pass(model.network, trees)
        // Where nothing has found room, nothing stays.
        if passes[0] >= 1000 { #expect((model.network.activations == nil) == (passes.count == 1)) }
        #expect(found.logp == expected.logp)
        let same = found.gradients == expected.gradients
        #expect(same)
        #expect(found.load == expected.load)
      }
    }
  }

  /// A cache that is full with what comes later gives that up for what nobody sampled, and the bits stay.
  @Test func whatComesLaterMakesRoom() throws {
    let model = try Model.load(Fixtures.model("qwen3_moe"))
    let plain = try rollout(model, passes: [])
    func tree(_ prompt: Int, _ more: [[Int32]] = []) -> SequenceTree {
      SequenceTree(prompt: Self.prompts[prompt], branches: plain[prompt].map(\.ids) + more)
    }
    // The same reference twice, and beside the prompt that was sampled one that was not, in two trees.
    let trees =
      [tree(0, [[3, 1, 4, 1, 5], [3, 1, 4, 1, 5]])]
      + [[[8, 2]], [[8, 2], [7]]].map { SequenceTree(prompt: [2, 7, 1], branches: $0) }
    let expected = pass(model.network, trees)
    // Just the first two prompts find room.
    _ = try rollout(model, passes: [tree(0).rows + tree(1).rows])
    #expect(model.network.recall([tree(0)], .tokens) != nil && model.network.recall([tree(1)], .tokens) != nil)
    let found = pass(model.network, trees)
    let same = found.logp == expected.logp && found.gradients == expected.gradients
    #expect(same)
    _ = try rollout(model, passes: [tree(0).rows + tree(1).rows])
    #expect(model.network.recall(trees, .tokens) != nil)
    #expect(model.network.recall([tree(0), tree(1), tree(2)], .tokens) == nil)
    #expect(model.network.activations == nil)
  }

  /// A layer whose weights have silently become 0 is not missed: its rows are those of before, and so are the logits. Of
  /// weights that have been announced to change, nothing is taken.
  @Test(arguments: ["model.layers.0.self_attn.v_proj.weight", "lm_head.weight"], [false, true])
  func whatIsRecordedIsNotComputedAgain(_ tensor: String, isAnnounced: Bool) throws {
    let model = try Model.load(Fixtures.model("qwen3_moe"))
    let parameters = model.network.parameters
    let completions = try rollout(model, passes: [500, 500])
    let parameter = try #require(parameters.parameters.first { $0.placement.tensor == tensor })
    if isAnnounced { parameters.prepareToChange() }
    [Float](repeating: 0, count: parameter.count).withUnsafeBufferPointer { parameters.set(parameter, from: $0) }
    let trees = zip(Self.prompts, completions).map { SequenceTree(prompt: $0, branches: $1.map(\.ids)) }
    let sampled = completions.joined().flatMap(\.logprobs).map(\.bitPattern)
    let found = pass(model.network, Array(trees[..<1])).logp + pass(model.network, Array(trees[1...])).logp
    let isTaken = found == sampled
    #expect(isTaken == !isAnnounced)
  }

  /// Samples that are more than run at once compute their prompt again, which is recorded once.
  @Test func samplesComeInLots() throws {
    let model = try Model.load(Fixtures.model("qwen3_moe"))
    let completions = try rollout(model, passes: [100_000], samples: 300)
    let trees = zip(Self.prompts, completions).map { SequenceTree(prompt: $0, branches: $1.map(\.ids)) }
    let found = pass(model.network, trees)
    model.network.dropActivations()
    let expected = pass(model.network, trees)
    #expect(found.logp == expected.logp)
    let same = found.gradients == expected.gradients
    #expect(same)
  }

  /// Passes that the model makes before training leave what was recorded where it is.
  @Test func otherPassesComeBetween() throws {
    let model = try Model.load(Fixtures.model("qwen3_moe"))
    let trees = trees(try rollout(model, passes: []))
    let expected = pass(model.network, trees)
    _ = try rollout(model, passes: [1000])
    _ = try model.generate([.ids(Array(1..<40))], GenerationOptions())
    let frozen = model.network.frozen()
    _ = frozen.logProbabilities(trees)
    frozen.dropActivations()
    #expect(model.network.activations != nil)
    let found = pass(model.network, trees)
    let same = found.gradients == expected.gradients
    #expect(same)
  }
}
