import Kernels
import Models
import TestSupport
import Testing
import Values

/// The losses of routers against transformers, or against the published definition written in torch.
@Suite(.machine) struct RouterLossTests {
  static let names =
    Fixtures.names("router_losses").filter { $0.hasSuffix(".json") }.map { String($0.dropLast(".json".count)) }

  /// A checkpoint, and what is known of its routers' losses.
  struct Case {
    let network: Network
    let trees: [SequenceTree]
    let json: Value
    let tensors: GoldenTensors

    init(_ name: String, _ change: (inout Table) -> Void = { _ in }) throws {
      network = try Network.load(Reconfigured(architecture: name, change))
      trees = try Golden(architecture: name).trees()
      json = try Fixtures.json("router_losses/\(name).json")
      tensors = try GoldenTensors(Fixtures.path("router_losses"), file: name + ".safetensors")
    }

    /// The same sequences: in one pass; a tree at a time; each alone.
    var divisions: [[[SequenceTree]]] {
      let alone = trees.flatMap { tree in
        tree.branches.map { SequenceTree(prompt: tree.prompt, branches: [$0]) }
      }
      return [[trees], trees.map { [$0] }, alone.map { [$0] }, [[alone[2], alone[1]], [alone[0]]]]
    }

    func loss(_ key: String) throws -> Double { try #require(json["losses"]?[key]?.number) }

    /// The gradient of the router losses alone, and what the routers did.
    func run(_ passes: [[SequenceTree]], auxiliary: Double, z: Double, freezes: Bool = false) -> RouterTally {
      network.parameters.zeroGradients()
      var (losses, tally) = (RouterLosses(auxiliary: auxiliary, z: z), RouterTally())
      if passes.count > 1 {
        var step = RouterTally()
        for trees in passes { step += network.routerTally(trees, for: losses) }
        losses.step = step
      }
      for trees in passes {
        network.accumulateGradient(trees, routerLosses: losses, freezesRouters: freezes) { scored in
          tally += scored.routers
          return scored.logp.map { $0.map { $0.map { _ in 0 } } }
        }
      }
      return tally
    }

    func expectGradient(of key: String, times factor: Float = 1, _ comment: String) throws {
      let known = tensors.names.filter { $0.hasPrefix(key + ".model") }
      #expect(known.count >= 3)
      for tensor in network.parameters.tensors where known.contains("\(key).\(tensor.name)") {
        let expected = try tensors.values("\(key).\(tensor.name)").map { factor * $0 }
        let largest = expected.reduce(0) { max($0, abs($1)) }
        let difference = largestDifference(network.parameters.gradient(tensor), expected)
        #expect(difference <= 6e-6 * largest, "\(tensor.name) \(comment): \(difference / largest)")
      }
    }
  }

  @Test(arguments: names) func zLoss(_ name: String) throws {
    let golden = try Case(name)
    for (index, passes) in golden.divisions.enumerated() {
      let tally = golden.run(passes, auxiliary: 0, z: 1)
      let loss = try golden.loss("z")
      #expect(abs(try #require(tally.zLoss) - loss) < 1e-6 * loss)
      try golden.expectGradient(of: "z", "\(index)")
    }
  }

  @Test(arguments: names) func auxiliaryLoss(_ name: String) throws {
    let golden = try Case(name)
    let balancing = try #require(golden.network.plan.balancing)
    for (index, passes) in golden.divisions.enumerated() {
      let tally = golden.run(passes, auxiliary: 1, z: 0)
      let loss = try golden.loss("aux")
      #expect(abs(try #require(tally.auxiliaryLoss(balancing)) - loss) < 1e-6 * loss)
      try golden.expectGradient(of: "aux", "\(index)")
    }
  }

  /// `seq_aux` false: over all tokens at once.
  @Test(arguments: names.filter { $0.hasPrefix("deepseek_v2") }) func auxiliaryLossOverAllTokens(_ name: String) throws
  {
    let golden = try Case(name) { $0["seq_aux"] = false }
    let balancing = try #require(golden.network.plan.balancing)
    for (index, passes) in golden.divisions.enumerated() {
      let tally = golden.run(passes, auxiliary: 1, z: 0)
      let loss = try golden.loss("aux.tokens")
      #expect(abs(try #require(tally.auxiliaryLoss(balancing)) - loss) < 1e-6 * loss)
      try golden.expectGradient(of: "aux.tokens", "\(index)")
    }
  }

  @Test(arguments: names) func loadsAreThoseOfTransformers(_ name: String) throws {
    let golden = try Case(name)
    for passes in golden.divisions {
      let tally = golden.run(passes, auxiliary: 0, z: 0)
      let expected = try #require(golden.json["load"]?.array).map { try numbers($0).map { Int($0) } }
      #expect(tally.layers.map(\.load) == expected)
      #expect(tally.sequences == 3)
      #expect(tally.tokens * golden.network.plan.expertsPerToken == expected[0].reduce(0, +))
    }
  }

  /// Coefficients are factors, and nothing else is added.
  @Test func lossesAddUp() throws {
    let golden = try Case("mixtral")
    func gradient(_ auxiliary: Double, _ z: Double) -> [[Float]] {
      _ = golden.run([golden.trees], auxiliary: auxiliary, z: z)
      return golden.network.parameters.tensors.map(golden.network.parameters.gradient)
    }
    let (auxiliary, z, both) = (gradient(1, 0), gradient(0, 1), gradient(0.5, 0.25))
    for (both, (auxiliary, z)) in zip(both, zip(auxiliary, z)) {
      let sum = zip(auxiliary, z).map { 0.5 * $0 + 0.25 * $1 }
      let largest = sum.reduce(0) { max($0, abs($1)) }
      #expect(largestDifference(both, sum) <= 3e-6 * largest)
    }
    #expect(gradient(0, 0).allSatisfy { $0.allSatisfy { $0 == 0 } })
  }

  @Test(arguments: ["mixtral", "deepseek_v3-sparse"]) func sameBitsWhateverTheThreads(_ name: String) throws {
    let golden = try Case(name)
    let before = Machine.threads
    defer { Machine.threads = before }
    let results = [1, 2, 3].map { threads in
      Machine.threads = threads
      let tally = golden.run(golden.divisions[1], auxiliary: 0.5, z: 0.1)
      return golden.network.parameters.tensors.map { golden.network.parameters.gradient($0).map(\.bitPattern) }
        + [[UInt32(truncatingIfNeeded: (tally.zLoss ?? 0).bitPattern)]]
    }
    #expect(results[0] == results[1] && results[0] == results[2])
  }

  /// Its own gradient is 0; what goes on through it to the layers below is the same.
  @Test(arguments: ["mixtral", "qwen2_moe", "deepseek_v3", "gpt_oss"]) func aFrozenRouterHasNoGradient(_ name: String)
    throws
  {
    let golden = try Case(name)
    let parameters = golden.network.parameters
    _ = golden.run([golden.trees], auxiliary: 1, z: 1)
    let free = parameters.tensors.map(parameters.gradient)
    _ = golden.run([golden.trees], auxiliary: 1, z: 1, freezes: true)
    let routers = Set(golden.network.routerParameters.map(\.placement.tensor))
    #expect(routers.count == ["deepseek_v3": 1, "gpt_oss": 6][name, default: 2])
    for (tensor, free) in zip(parameters.tensors, free) {
      let frozen = parameters.gradient(tensor)
      if routers.contains(tensor.name) {
        #expect(tensor.name.contains(name == "gpt_oss" ? ".router." : ".gate."))
        #expect(frozen.allSatisfy { $0 == 0 } && free.contains { $0 != 0 })
      } else {
        #expect(frozen.map(\.bitPattern) == free.map(\.bitPattern), "\(tensor.name)")
      }
    }
  }

  /// Loads 30 69 23 24 53 37 40 21 of mean 37.125: the fifth and second fall, the seventh too.
  @Test func theCorrectionBiasMovesAgainstTheLoad() throws {
    let golden = try Case("deepseek_v3")
    let tally = golden.run([golden.trees], auxiliary: 0, z: 0)
    #expect(tally.layers.map(\.load) == [[30, 69, 23, 24, 53, 37, 40, 21]])
    let bias = try #require(golden.network.parameters.parameters.first { !$0.isTrained })
    let before = golden.network.parameters.value(bias)
    golden.network.updateCorrectionBias(tally, speed: 0.125)
    let signs: [Float] = [1, -1, 1, 1, -1, 1, -1, 1]
    #expect(golden.network.parameters.value(bias) == zip(before, signs).map { $0 + 0.125 * $1 })
  }

  /// A prompt without a completion is read, but is no sequence.
  @Test(arguments: ["mixtral", "deepseek_v3"]) func nothingToPredictIsNoLoss(_ name: String) throws {
    let golden = try Case(name)
    let tally = golden.run([[SequenceTree(prompt: [5, 6, 7], branches: [[]])]], auxiliary: 1, z: 1)
    #expect(tally.tokens == 0 && tally.zLoss == nil)
    for tensor in golden.network.parameters.tensors {
      #expect(golden.network.parameters.gradient(tensor).allSatisfy { $0 == 0 }, "\(tensor.name)")
    }
  }

  @Test func aDenseModelHasNoRouterAndNoLoss() throws {
    let golden = try Golden("llama")
    var tally = RouterTally()
    golden.network.accumulateGradient(try golden.trees(), routerLosses: RouterLosses(auxiliary: 1, z: 1)) { scored in
      tally = scored.routers
      return scored.logp
    }
    #expect(tally.layers.isEmpty && tally.zLoss == nil && tally.auxiliaryLoss(.acrossLayers) == nil)
    #expect(golden.network.plan.balancing == nil && golden.network.routerParameters.isEmpty)
  }

  /// 6 + 3 + 1 + 0 choices: shares 0.6, 0.3, 0.1 and 0.
  @Test func measuresOfLoadByHand() throws {
    let layer = RouterTally.Layer(index: 2, perToken: 1, load: [6, 3, 1, 0])
    #expect(abs(layer.maximumViolation - 1.4) < 1e-15)
    #expect(abs(layer.entropy - 0.8979457248567797) < 1e-15)
    #expect(layer.deadExperts == 1)
  }
}
