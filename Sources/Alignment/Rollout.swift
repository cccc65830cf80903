import Data
import Models
import Sampling
import Tokenizers
import Values

/// Dataset rows to groups: what a row asks and answers, and what rewards say of completions.
struct RowReader {
  let model: Model
  /// Whether the columns `chosen` and `rejected` are read beside the reference.
  var readsPreference = false
  /// Whether the column `margin` is read with them.
  var readsMargin = false

  /// A row's columns as ids and text; `name` says in messages which row it is.
  struct Query {
    let row: Table
    let prompt: [Int32]
    let promptText: String?
    let reference: EncodedResponse?
    var chosen: EncodedResponse?
    var rejected: EncodedResponse?
    var margin: Double?
  }

  func query(_ row: Table, name: String) throws(GRAOError) -> Query {
    do throws(GRAOError) {
      guard let value = row["prompt"], !value.isNull else { throw GRAOError("column 'prompt' is missing") }
      let prompt = try Prompt(value, "column 'prompt'")
      var chat = ChatOptions()
      if case .messages = prompt { chat = try ChatOptions(row: row, "column") }
      let query = Query(
        row: row, prompt: try model.encode(prompt, chat), promptText: try model.text(of: prompt, chat),
        reference: try response(row, ["reference", "chosen"], after: prompt, chat),
        chosen: readsPreference ? try response(row, ["chosen"], after: prompt, chat) : nil,
        rejected: readsPreference ? try response(row, ["rejected"], after: prompt, chat) : nil,
        margin: readsMargin ? try margin(row) : nil)
      let responses = [query.reference, query.chosen, query.rejected].compactMap { $0?.ids }
      try model.checkContext(SequenceTree(prompt: query.prompt, branches: responses))
      return query
    } catch {
      throw GRAOError("\(name): \(error.message)")
    }
  }

  private func margin(_ row: Table) throws(GRAOError) -> Double? {
    guard let value = row["margin"]?.unlessNull else { return nil }
    guard let number = value.number, number.isFinite else {
      throw GRAOError("column 'margin' must be a number, not \(value.kind)")
    }
    return number
  }

  /// The first of these columns that the row has; nil where it has none.
  private func response(
    _ row: Table, _ columns: [String], after prompt: Prompt, _ chat: ChatOptions
  ) throws(GRAOError) -> EncodedResponse? {
    for column in columns {
      guard let value = row[column], !value.isNull else { continue }
      let response = try model.encode(Response(value, "column '\(column)'"), after: prompt, chat)
      if response.ids.isEmpty { throw GRAOError("column '\(column)' is empty: it must have at least one token") }
      return response
    }
    return nil
  }
}

/// Samples completions of queries and scores them with a run's rewards.
struct Rollout {
  let model: Model
  let panel: RewardPanel
  /// The weight of each reward at this step.
  let weights: [Double]
  let step: Int
  /// Whether a query's reference is scored as a completion like any other.
  var scoresReference = true
  /// Tokens of each pass of the update, which sampling leaves its activations to.
  var passes: [Int] = []

  /// One group for each query.
  /// - Parameter options: `samples` completions each; the streams are named by its seed.
  func groups(
    _ queries: [RowReader.Query], _ options: GenerationOptions, progress: (Int) throws -> Void
  ) throws -> [Group] {
    let completions = try model.generate(
      queries.map { .ids($0.prompt) }, options, recording: passes, progress: progress)
    // Rewards may want to see all samples of a step at once.
    var seen: [RewardSample] = []
    for (query, completions) in zip(queries, completions) {
      seen += completions.map { sample(query, $0.text, $0.ids, $0.finishReason, isReference: false) }
      if scoresReference, let reference = query.reference {
        seen.append(sample(query, reference.text, reference.ids, .stop, isReference: true))
      }
    }
    var scores = try panel.score(seen, weights: weights)[...]
    return zip(queries, completions).map { query, completions in
      var group = Group(query)
      group.samples = completions.map { completion in
        let score = scores.removeFirst()
        var sample = Group.Sample(ids: completion.ids, reward: score.total, logprobs: completion.logprobs)
        sample.text = completion.text
        sample.finishReason = completion.finishReason
        (sample.rewards, sample.numbers, sample.failures) = (score.values, score.numbers, score.failures)
        return sample
      }
      if scoresReference, query.reference != nil {
        let score = scores.removeFirst()
        group.referenceReward = score.total
        (group.referenceRewards, group.referenceFailures) = (score.values, score.failures)
      }
      return group
    }
  }

  private func sample(
    _ query: RowReader.Query, _ text: String?, _ ids: [Int32], _ reason: FinishReason, isReference: Bool
  ) -> RewardSample {
    RewardSample(
      prompt: model.tokenizer == nil ? nil : query.promptText, completion: text, reference: query.reference?.text,
      promptIDs: query.prompt, ids: ids, finishReason: reason, row: query.row, step: step, isReference: isReference)
  }
}

extension Group {
  /// A row's group, before anything is sampled.
  init(_ query: RowReader.Query) {
    self.init(prompt: query.prompt, reference: query.reference?.ids)
    referenceMask = query.reference?.mask
    (chosen, rejected, margin) = (query.chosen, query.rejected, query.margin)
  }
}
