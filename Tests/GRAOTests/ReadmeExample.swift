// example begin
import GRAO

/// A tiny mixture of experts learns to add. No answer of its own is right at first: it learns from the references.
func learnToAdd(tokenizer: String) throws -> Model {
  let config: Table = [
    "model_type": "qwen3_moe", "vocab_size": 80, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32,
  ]
  let model = try Model(configuration: config, tokenizer: .load(directory: tokenizer), seed: 1)
  let sums = (1...4).flatMap { a in (1...4).map { b in ["prompt": "\(a)+\(b)=", "reference": "\(a + b)"] as Table } }

  var options = TrainingOptions(method: .grao)
  options.data = try Dataset(rows: sums, source: "sums")
  options.rewards = [Reward("correct") { $0.completion == $0.reference ? 1 : 0 }]
  options.promptsPerStep = 16
  options.sampling.maxNewTokens = 4
  options.optimizer.learningRate = .warmup(steps: 5, .constant(0.01))
  options.steps = 40
  try train(model, options)

  let answers = try model.generate(["1+2=", "4+3="])
  print(answers.map { $0[0].text ?? "" })
  return model
}
// example end
