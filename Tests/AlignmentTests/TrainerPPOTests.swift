import Alignment
import Models
import Sampling
import TestSupport
import Testing
import Values

extension TrainerSuite {
  /// Steps of ppo against torch (Tests/Oracles/make_classifiers.py), and whole runs.
  @Suite struct PPO {
    struct GoldenStep {
      let json: Value
      let tensors: GoldenTensors
      let groups: [Group]
      let options: TrainingOptions

      init(_ name: String, microBatch: Int = 2048) throws {
        json = try Fixtures.json("ppo/\(name).json")
        tensors = try GoldenTensors(Fixtures.path("ppo"), file: "\(name).safetensors")
        let behaviours = try #require(json["behaviour"]?.array)
        groups = try zip(#require(json["samples"]?.array), behaviours).map { sample, behaviour in
          let ids = try ids(sample["ids"])
          let logprobs = try numbers(behaviour).map(Float.init)
          return Group(
            prompt: try TestSupport.ids(sample["prompt"]),
            samples: [Group.Sample(ids: ids, reward: sample["reward"]?.number, logprobs: logprobs)])
        }
        let given = try #require(json["options"]?.table)
        var options = TrainingOptions(method: .ppo)
        options.ppo.gamma = try given.number("gamma")
        options.ppo.lambda = try given.number("lam")
        options.ppo.valueCoefficient = try given.number("value_coefficient")
        options.kl.coefficient = .constant(try given.number("coefficient"))
        options.normalization = .token
        options.logprobTemperature = Float(try given.number("temperature"))
        options.optimizer.learningRate = .constant(0)
        options.microBatchTokens = microBatch
        self.options = options
      }

      func setHead(of network: Network) throws {
        try network.addValueHead()
        let head = try #require(network.scoreHead)
        let values = try tensors.values(ScoreHead.tensor)
        let tensor = head.parameters.tensors[0]
        values.withUnsafeBufferPointer { head.parameters.set(tensor, from: $0) }
      }

      /// Expects the gradients of the network's tensors, but for those that another network has.
      func expectGradients(_ network: Network, _ isExpected: (String) -> Bool = { _ in true }) throws {
        let tolerance = Float(5 * (try #require(json["noise"]?["grad"]?.number)))
        for (tensor, store) in network.savedTensors(withHead: true) where isExpected(tensor.name) {
          let expected = try tensors.values("grad." + tensor.name)
          let largest = expected.reduce(0) { max($0, abs($1)) }
          let difference = largestDifference(store.gradient(tensor), expected)
          #expect(difference <= tolerance * largest, "\(tensor.name): \(difference / largest)")
        }
      }
    }

    /// The gradient of policy and value head, in one pass and in small ones.
    @Test(arguments: ["llama", "qwen3_moe"], [2048, 12, 1]) func goldenStep(_ name: String, microBatch: Int) throws {
      let golden = try GoldenStep(name, microBatch: microBatch)
      let model = try Model.fixture(name)
      try golden.setHead(of: model.network)
      let metrics = try Trainer(model, golden.options).step(golden.groups)
      try golden.expectGradients(model.network)
      let loss = try #require(golden.json["loss"]?.number)
      #expect(abs(try metrics.number("loss") - loss) < 2e-6 * max(1, abs(loss)))
      #expect(abs(try metrics.number("objective/scores") - 0.3) < 1e-12)
      let explained = try metrics.number("val/explained_variance")
      #expect(explained < 1 && explained.isFinite)
    }

    /// With a critic of the same weights the loss is the same, and the head's gradient goes to the critic.
    @Test func aCriticApart() throws {
      let golden = try GoldenStep("llama")
      let (model, critic) = (try Model.fixture("llama"), try Model.fixture("llama"))
      try golden.setHead(of: critic.network)
      var options = golden.options
      options.ppo.critic = .model(critic)
      let metrics = try Trainer(model, options).step(golden.groups)
      let loss = try #require(golden.json["loss"]?.number)
      #expect(abs(try metrics.number("loss") - loss) < 2e-6 * max(1, abs(loss)))
      #expect(model.network.scoreHead == nil)
      // The head and the vocabulary have one reader each; the layers' gradient is the sum of the two models'.
      try golden.expectGradients(critic.network) { $0 == ScoreHead.tensor }
      try golden.expectGradients(model.network) { $0 == "lm_head.weight" }
      for parameter in model.network.parameters.parameters where parameter.placement.tensor != "lm_head.weight" {
        let name = parameter.placement.tensor
        let sum = zip(model.network.parameters.gradient(parameter), critic.network.parameters.gradient(parameter))
          .map(+)
        let expected = try golden.tensors.values("grad." + name)
        let largest = expected.reduce(0) { max($0, abs($1)) }
        #expect(largestDifference(sum, expected) < 2e-5 * largest, "\(name)")
      }
    }

    static func options(_ change: (inout TrainingOptions) throws -> Void = { _ in }) throws -> TrainingOptions {
      var options = TrainingOptions(method: .ppo)
      options.data = try dataset()
      options.rewards = [evenShare]
      options.promptsPerStep = 4
      options.groupSize = 2
      options.sampling.maxNewTokens = 6
      options.optimizer.learningRate = .constant(3e-3)
      options.kl.coefficient = .constant(0.02)
      options.steps = 8
      options.seed = 3
      try change(&options)
      return options
    }

    /// The first update is on policy bit for bit, the following ones are not; the same seed gives the same bits.
    @Test(arguments: ["shared", "separate"]) func runs(_ critic: String) throws {
      func run() throws -> (model: Model, metrics: [Table]) {
        let model = try Model.fixture("qwen3_moe")
        var seen: [Table] = []
        let options = try Self.options {
          if critic == "separate" { $0.ppo.critic = .separate }
          $0.onStep = {
            seen.append($0.metrics)
            return true
          }
        }
        try Trainer(model, options).run()
        return (model, seen)
      }
      let (model, metrics) = try run()
      #expect(metrics.count == 8)
      for (index, metrics) in metrics.enumerated() {
        let isFirst = index % 4 == 0
        #expect(try (metrics.number("policy/approxkl_avg") == 0) == isFirst)
        #expect(metrics["sampling/logprob_difference"]?.number == (isFirst ? 0 : nil))
        #expect((metrics["critic_grad_norm"] != nil) == (critic == "separate"))
        for name in [
          "loss/policy_avg", "loss/value_avg", "val/clipfrac_avg", "kl", "clip_ratio/region_mean", "val/ratio",
        ] {
          #expect(try metrics.number(name).isFinite)
        }
      }
      #expect(try metrics[0].number("kl") == 0, "the reference is the policy at first")
      #expect(try metrics[4].number("kl") != 0)
      let again = try run()
      #expect(again.model.bits == model.bits)
      #expect(again.metrics.map { $0["loss"] } == metrics.map { $0["loss"] })
    }

    /// Without recorded log-probabilities the behaviour policy is the current one.
    @Test func groupsWithoutLogprobs() throws {
      let golden = try GoldenStep("llama")
      func metrics(_ change: (inout Group.Sample) -> Void) throws -> Table {
        var groups = golden.groups
        for index in groups.indices { change(&groups[index].samples[0]) }
        let model = try Model.fixture("llama")
        try golden.setHead(of: model.network)
        return try Trainer(model, golden.options).step(groups)
      }
      let bare = try metrics { $0.logprobs = nil }
      #expect(try bare.number("policy/approxkl_avg") == 0)
      #expect(try bare.number("kl") == 0)
      #expect(try metrics { _ in }.number("policy/approxkl_avg") > 0)
    }

    /// It learns: the reward of the last rollouts is above that of the first.
    @Test func learns() throws {
      let model = try Model.fixture("llama")
      var rewards: [Double] = []
      let options = try Self.options {
        $0.promptsPerStep = 6
        $0.groupSize = 8
        $0.steps = 80
        $0.optimizer.learningRate = .constant(5e-3)
        $0.onStep = {
          rewards.append($0.metrics["reward"]?.number ?? 0)
          return true
        }
      }
      try Trainer(model, options).run()
      let (first, last) = (rewards.prefix(8).reduce(0, +) / 8, rewards.suffix(8).reduce(0, +) / 8)
      #expect(last > first + 0.2, "\(first) to \(last)")
    }

    @Test func refusals() throws {
      func refusal(_ change: (inout TrainingOptions) throws -> Void) throws -> String {
        try message { try Trainer(try Model.fixture("llama"), try Self.options(change)) }
      }
      #expect(
        try refusal { $0.advantage.scale = .none }
          == "grao.train: option 'advantage' does not apply to method ppo, whose advantages come from values "
          + "(ppo.gae_lambda)")
      #expect(
        try refusal { $0.ratio?.level = .sequence }
          == "grao.train: option 'ratio' does not apply to method ppo: it has a clipped ratio for each token")
      #expect(
        try refusal { $0.resampleRounds = 2 }
          == "grao.train: option 'resample_rounds' does not apply to method ppo: a group of equal rewards teaches it too"
      )
      let model = try Model.fixture("llama")
      #expect(
        try message { try Trainer(model, try Self.options { $0.ppo.critic = .model(model) }) }
          == "grao.train: option 'ppo.critic' is the policy itself: give \"shared\"")
      let classifier = try Model.load(Fixtures.path("classifiers/llama"))
      #expect(try message { try Trainer(classifier, try Self.options()) }.hasPrefix("the model scores sequences"))
    }
  }
}
