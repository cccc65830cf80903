import Alignment
import Data
import Kernels
import Models
import Sampling
import TestSupport
import Testing
import Values

extension TrainerSuite {
  /// The routers' losses, the correction bias and frozen routers in whole steps.
  @Suite struct Routers {
    static func model(_ name: String) throws -> Model { try Model.load(Fixtures.path("architectures/\(name)")) }

    /// The golden sequences, each a group of its own for sft.
    static func groups(_ name: String) throws -> [Group] {
      try Golden(architecture: name).sequences().map { Group(prompt: $0.prompt, reference: $0.completion) }
    }

    static func sft(_ change: (inout TrainingOptions) throws -> Void = { _ in }) throws -> TrainingOptions {
      var options = TrainingOptions(method: .sft)
      options.optimizer.learningRate = .constant(0)
      try change(&options)
      return options
    }

    static func gradients(_ model: Model) -> [[Float]] {
      model.network.parameters.tensors.map(model.network.parameters.gradient)
    }

    static func expectClose(_ a: [[Float]], _ b: [[Float]], _ tolerance: Float, _ comment: Comment) {
      for (a, b) in zip(a, b) {
        let largest = b.reduce(0) { max($0, abs($1)) }
        #expect(largestDifference(a, b) <= tolerance * largest, comment)
      }
    }

    /// Each loss is added to the objective's with its coefficient, and so are the gradients, however the step is divided.
    @Test(arguments: ["mixtral", "qwen2_moe", "deepseek_v2-sparse", "deepseek_v3-sparse"], [2048, 30, 1])
    func lossesOfAStep(_ name: String, microBatch: Int) throws {
      let golden = try #require(Fixtures.json("router_losses/\(name).json")["losses"]?.table)
      let (auxiliary, z) = (try golden.number("aux"), try golden.number("z"))
      func step(_ auxiliary: Double, _ z: Double) throws -> (Table, [[Float]]) {
        let model = try Self.model(name)
        let options = try Self.sft {
          $0.routers.auxiliaryLossCoefficient = auxiliary
          $0.routers.zLossCoefficient = z
          $0.microBatchTokens = microBatch
        }
        return (try Trainer(model, options).step(Self.groups(name)), Self.gradients(model))
      }
      let (plain, gradient) = try step(0, 0)
      let (metrics, both) = try step(0.5, 0.125)
      for metrics in [plain, metrics] {
        #expect(abs(try metrics.number("moe/aux_loss") - auxiliary) < 1e-6 * auxiliary)
        #expect(abs(try metrics.number("moe/z_loss") - z) < 1e-6 * z)
      }
      let expected = try plain.number("loss") + 0.5 * auxiliary + 0.125 * z
      #expect(abs(try metrics.number("loss") - expected) < 1e-6 * expected)

      // Each loss's gradient alone, which ModelsTests compare with torch.
      let network = try Self.model(name).network
      let trees = try Golden(architecture: name).trees()
      network.accumulateGradient(trees, routerLosses: RouterLosses(auxiliary: 0.5, z: 0.125)) { scored in
        scored.logp.map { $0.map { $0.map { _ in 0 } } }
      }
      let routers = network.parameters.tensors.map(network.parameters.gradient)
      let sum = zip(gradient, routers).map { zip($0, $1).map { $0 + $1 } }
      Self.expectClose(both, sum, 1e-5, "\(name), passes of \(microBatch)")
    }

    /// A group that is too large for a pass, its prompt read once for each piece.
    @Test func aGroupInPiecesHasTheSameLosses() throws {
      func step(_ microBatch: Int) throws -> (Table, [[Float]]) {
        let model = try Model.fixture("qwen3_moe")
        let options = try GoldenSteps.still {
          $0.routers.auxiliaryLossCoefficient = 1
          $0.routers.zLossCoefficient = 0.5
          $0.microBatchTokens = microBatch
        }
        return (try Trainer(model, options).step([GoldenSteps.group(Golden("qwen3_moe"))]), Self.gradients(model))
      }
      let (whole, gradient) = try step(2048)
      for microBatch in [16, 1] {
        let (pieces, inPieces) = try step(microBatch)
        for name in ["loss", "moe/aux_loss", "moe/z_loss"] {
          let value = try whole.number(name)
          #expect(abs(try pieces.number(name) - value) < 1e-6 * abs(value), "\(name)")
        }
        for layer in [0, 2] {
          for name in ["load_max_violation", "load_entropy", "dead_experts"] {
            #expect(pieces["moe/layer_\(layer)/\(name)"] == whole["moe/layer_\(layer)/\(name)"])
          }
        }
        Self.expectClose(inPieces, gradient, 1e-5, "passes of \(microBatch)")
      }
    }

    /// Layer 1 is dense.
    @Test func loadsByLayer() throws {
      let metrics = try Trainer(Self.model("qwen2_moe"), Self.sft()).step(Self.groups("qwen2_moe"))
      let json = try Fixtures.json("router_losses/qwen2_moe.json")
      var worst = 0.0
      for (layer, load) in zip([0, 2], try #require(json["load"]?.array)) {
        let load = try numbers(load)
        let violation = try #require(load.max()) / load.reduce(0, +) * Double(load.count) - 1
        worst = max(worst, violation)
        #expect(try metrics.number("moe/layer_\(layer)/load_max_violation") == violation)
        #expect(try metrics.number("moe/layer_\(layer)/load_entropy") > 0)
        #expect(metrics["moe/layer_\(layer)/dead_experts"] == .integer(0))
      }
      #expect(try metrics.number("moe/load_max_violation") == worst)
      #expect(metrics["moe/layer_1/load_entropy"] == nil)
      let dense = try Trainer(Model.fixture("llama"), graoOptions()).step([GoldenSteps.group(Golden("llama"))])
      #expect(!dense.keys.contains { $0.hasPrefix("moe/") })
    }

    /// Loads 30 69 23 24 53 37 40 21, of mean 37.125, at every step: the bias moves against them once for each.
    @Test func theCorrectionBiasFollowsTheLoad() throws {
      let model = try Self.model("deepseek_v3")
      let parameters = model.network.parameters
      let before = model.bits
      let bias = try #require(parameters.parameters.firstIndex { !$0.isTrained })
      let values = parameters.value(parameters.parameters[bias])
      let frozen = model.network.frozen()
      let options = try Self.sft { $0.routers.biasUpdateSpeed = 0.125 }
      _ = try Trainer(model, options).step(Self.groups("deepseek_v3"))
      let signs: [Float] = [1, -1, 1, 1, -1, 1, -1, 1]
      #expect(parameters.value(parameters.parameters[bias]) == zip(values, signs).map { $0 + 0.125 * $1 })
      var after = model.bits
      after[bias] = before[bias]
      #expect(after == before, "learning rate 0")
      #expect(frozen.parameters.value(parameters.parameters[bias]) == values, "a frozen copy keeps its own")
    }

    /// Without a gradient of any kind, the bias alone evens the load out; and sampling sees it as training does.
    @Test func theCorrectionBiasBalances() throws {
      let model = try Self.model("deepseek_v3-sparse")
      let parameters = model.network.parameters
      // Far from balance: one expert of each layer is chosen by all.
      for bias in parameters.parameters where !bias.isTrained {
        var values = [Float](repeating: 0, count: bias.count)
        values[3] = 2
        values.withUnsafeBufferPointer { parameters.set(bias, from: $0) }
      }
      let log = MetricsLog()
      let options = try graoOptions {
        $0.data = try dataset()
        $0.routers.biasUpdateSpeed = 0.125
        $0.optimizer.learningRate = .constant(0)
        $0.promptsPerStep = 6
        $0.steps = 24
      }
      try Trainer(model, options).run(observer: log)
      let violations = try log.steps.map { try $0.number("moe/load_max_violation") }
      #expect(violations[0] > 1.6 && violations.suffix(16).allSatisfy { $0 < 1.4 }, "\(violations)")
      for metrics in log.steps { #expect(try metrics.number("sampling/logprob_difference") == 0) }
    }

    @Test(arguments: ["olmoe", "deepseek_v2-sparse", "deepseek_v3-sparse"])
    func theAuxiliaryLossBalances(_ name: String) throws {
      func losses(_ coefficient: Double) throws -> [Double] {
        let trainer = try Trainer(
          Self.model(name),
          Self.sft {
            $0.optimizer.learningRate = .constant(1e-2)
            $0.routers.auxiliaryLossCoefficient = coefficient
          })
        return try (0..<20).map { _ in try trainer.step(Self.groups(name)).number("moe/aux_loss") }
      }
      let (without, with) = (try losses(0), try losses(4))
      #expect(with[0] == without[0])
      #expect(with[19] < with[0] - 0.02 && with[19] < without[19] - 0.02, "\(with), \(without)")
    }

    @Test func theZLossShrinksLogits() throws {
      let trainer = try Trainer(
        Self.model("olmoe"),
        Self.sft {
          $0.optimizer.learningRate = .constant(1e-2)
          $0.routers.zLossCoefficient = 1
        })
      let losses = try (0..<20).map { _ in try trainer.step(Self.groups("olmoe")).number("moe/z_loss") }
      #expect(losses[19] < losses[0] / 2, "\(losses)")
    }

    /// With decay, both losses and a shared expert's gate, which is no router.
    @Test(arguments: ["mixtral", "qwen2_moe", "deepseek_v3", "gpt_oss"]) func aFrozenRouterStaysToTheBit(_ name: String)
      throws
    {
      func changed(_ frozen: Bool) throws -> (Set<String>, Double) {
        let model = try Self.model(name)
        let before = model.bits
        let trainer = try Trainer(
          model,
          Self.sft {
            $0.optimizer.learningRate = .constant(1e-2)
            $0.optimizer.weightDecay = 0.5
            $0.routers.auxiliaryLossCoefficient = 0.1
            $0.routers.zLossCoefficient = 0.1
            $0.routers.isFrozen = frozen
          })
        let norm = try trainer.step(Self.groups(name)).number("grad_norm")
        _ = try trainer.step(Self.groups(name))
        let names = zip(model.network.parameters.parameters, zip(before, model.bits)).compactMap { parameter, bits in
          bits.0 == bits.1 ? nil : parameter.placement.tensor
        }
        return (Set(names), norm)
      }
      let ((free, freeNorm), (frozen, frozenNorm)) = (try changed(false), try changed(true))
      let left = free.subtracting(frozen)
      #expect(left == Set(try Self.model(name).network.routerParameters.map(\.placement.tensor)))
      #expect(
        left.allSatisfy { $0.contains(".gate.") || $0.contains(".router.") } && !left.isEmpty
          && frozen.isSubset(of: free))
      #expect(frozenNorm < freeNorm)
    }

    @Test func theThreadsDoNotShow() throws {
      let before = Machine.threads
      defer { Machine.threads = before }
      let runs = try [1, 2, 3].map { threads in
        Machine.threads = threads
        let (model, log) = (try Self.model("deepseek_v3-sparse"), MetricsLog())
        let options = try graoOptions {
          $0.data = try dataset()
          $0.routers.auxiliaryLossCoefficient = 0.1
          $0.routers.zLossCoefficient = 0.01
          $0.routers.biasUpdateSpeed = 0.01
          $0.microBatchTokens = 24
        }
        try Trainer(model, options).run(observer: log)
        return (model.bits, try log.lines)
      }
      #expect(runs[0] == runs[1] && runs[0] == runs[2])
    }

    @Test func whatAnArchitectureCannotHonour() throws {
      func refusal(_ model: Model, _ change: (inout RouterOptions) -> Void) throws -> String {
        let options = try graoOptions { change(&$0.routers) }
        return try message { try Trainer(model, options) }
      }
      let dense = try Model.fixture("llama")
      let changes: [(String, (inout RouterOptions) -> Void)] = [
        ("aux_loss_coefficient", { $0.auxiliaryLossCoefficient = 1 }),
        ("z_loss_coefficient", { $0.zLossCoefficient = 1 }), ("bias_update_speed", { $0.biasUpdateSpeed = 1 }),
        ("freeze_router", { $0.isFrozen = true }),
      ]
      for (option, change) in changes {
        #expect(
          try refusal(dense, change)
            == "grao.train: option 'moe.\(option)' needs a mixture of experts: this 'llama' model has no router")
      }
      #expect(
        try refusal(Model.fixture("qwen3_moe")) { $0.biasUpdateSpeed = 0.001 }
          == "grao.train: option 'moe.bias_update_speed' needs a correction bias (e_score_correction_bias): "
          + "'qwen3_moe' has none")
      #expect(
        try refusal(Self.model("deepseek_v3")) { ($0.biasUpdateSpeed, $0.isFrozen) = (0.001, true) }
          == "grao.train: option 'moe.bias_update_speed' moves the routers' correction bias, and moe.freeze_router keeps "
          + "them as they are")
      #expect(
        try refusal(dense) { $0.zLossCoefficient = -1 }
          == "grao.train: option 'moe.z_loss_coefficient' must be 0 or more, not -1.0")
      #expect(try refusal(dense) { $0.auxiliaryLossCoefficient = .nan }.hasSuffix("must be 0 or more, not nan"))
    }

    @Test func optionsAsAScriptGivesThem() throws {
      let table: Table = [
        "model": .object(try Self.model("deepseek_v3")), "method": "sft",
        "moe": [
          "aux_loss_coefficient": 0.5, "z_loss_coefficient": 0.25, "bias_update_speed": 0.125, "freeze_router": false,
        ],
      ]
      let options = try TrainingOptions.read(table).options
      #expect(options.routers.auxiliaryLossCoefficient == 0.5 && options.routers.zLossCoefficient == 0.25)
      #expect(options.routers.biasUpdateSpeed == 0.125 && !options.routers.isFrozen)
      #expect(options.record["moe"] == table["moe"])
    }
  }
}
