import Models
import Sampling
import Testing
import Values

/// Prompts that take several passes and many pages, beside short ones: still bit for bit what training computes.
@Suite(.serialized) struct LongPromptTests {
  static func model(experts: Int) throws -> Model {
    var config: Table = Table([
      ("model_type", "qwen3_moe"), ("vocab_size", 50), ("hidden_size", 32), ("num_hidden_layers", 2),
      ("num_attention_heads", 4), ("num_key_value_heads", 2), ("head_dim", 12), ("intermediate_size", 40),
      ("moe_intermediate_size", 24), ("num_experts_per_tok", 2), ("norm_topk_prob", true),
      ("max_position_embeddings", 4096), ("initializer_range", 0.3), ("eos_token_id", 1),
    ])
    config["num_experts"] = .integer(experts)
    return try Model(configuration: config, seed: 5)
  }

  @Test(arguments: [3, 8]) func agreementOverManyPages(_ experts: Int) throws {
    let model = try Self.model(experts: experts)
    var stream = RandomStream(seed: 9)
    // The second crosses the bound of a pass in the middle of a page, the third ends at a page's end.
    let prompts = [5, 1500, 1024, 33, 2100].map { count in
      (0..<count).map { _ in Int32(2 + stream.integer(below: 48)) }
    }
    var options = GenerationOptions()
    options.samples = 3
    options.maxNewTokens = 40
    options.seed = 3
    let completions = try model.generate(prompts.map { .ids($0) }, options)
    let trees = zip(prompts, completions).map { SequenceTree(prompt: $0, branches: $1.map(\.ids)) }
    for (tree, samples) in zip(trees, completions) {
      let logp = model.network.logProbabilities([tree]).logp[0]
      #expect(samples.map { $0.logprobs.map(\.bitPattern) } == logp.map { $0.map(\.bitPattern) })
    }
    let together = model.network.logProbabilities(trees).logp
    #expect(
      completions.map { $0.map { $0.logprobs.map(\.bitPattern) } } == together.map { $0.map { $0.map(\.bitPattern) } })
  }
}
