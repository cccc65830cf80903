import Models
import Sampling
import Values

/// A model that scores sequences, as a reward: the number that it gives to a prompt with its completion, at the
/// completion's last token.
public final class RewardModel: RewardScorer, NamedObject {
  public let name = "reward_model"
  public let model: Model
  /// Bound on the tokens of one forward pass.
  private let microBatchTokens: Int
  /// Called between passes; may throw to stop.
  public var checkInterrupt: () throws -> Void = {}

  /// - Parameter model: transformers' …ForSequenceClassification with one label, or trained with method reward.
  public init(_ model: Model, microBatchTokens: Int = 2048) throws(GRAOError) {
    try model.checkRewardModel()
    self.model = model
    self.microBatchTokens = microBatchTokens
  }

  /// Samples of one prompt follow each other, and a step's go through the model together.
  public let scoresBatches = true

  /// One result for each sample, in order.
  public func score(_ samples: [RewardSample]) -> [Result<RewardScore, any Error>] {
    var results = [Result<RewardScore, any Error>](repeating: .success(RewardScore(nil)), count: samples.count)
    // Samples of one prompt follow each other: the prompt is computed once.
    var (trees, places) = ([SequenceTree](), [[Int]]())
    for (index, sample) in samples.enumerated() {
      do {
        try check(sample)
        if let tree = trees.last, tree.prompt == sample.promptIDs {
          trees[trees.count - 1] = SequenceTree(prompt: tree.prompt, branches: tree.branches + [sample.ids])
          places[places.count - 1].append(index)
        } else {
          trees.append(SequenceTree(prompt: sample.promptIDs, branches: [sample.ids]))
          places.append([index])
        }
      } catch {
        results[index] = .failure(error)
      }
    }
    let outputs = Result {
      try model.network.outputs(
        trees, reading: .ends, microBatchTokens: microBatchTokens, checkInterrupt: checkInterrupt)
    }
    for (tree, indices) in places.enumerated() {
      for (branch, index) in indices.enumerated() {
        results[index] = outputs.map { RewardScore(Double($0[tree].values[branch][0])) }
      }
    }
    return results
  }

  /// The sample's tokens must be the model's own.
  private func check(_ sample: RewardSample) throws(GRAOError) {
    try model.checkRewardModel()
    let completion = try model.encode(.ids(sample.ids), after: .ids(try model.encode(.ids(sample.promptIDs))))
    if sample.ids.isEmpty { throw GRAOError("the completion is empty: it must have at least one token") }
    try model.checkContext(SequenceTree(prompt: sample.promptIDs, branches: [sample.ids]))
    // A completion's text may have lost a stop string at its end.
    if let written = sample.completion, let read = completion.text, !read.utf8.starts(with: written.utf8) {
      throw GRAOError(
        "the reward model's tokenizer reads '\(read)' where the policy wrote '\(written)': both must share one tokenizer"
      )
    }
  }
}
