import Data
import Sampling
import Tokenizers
import Values

/// Dataset rows to groups: what a row asks and answers, and what rewards say of completions.
struct RowReader {
  let model: Model

  /// A row's columns as ids and text; `name` says in messages which row it is.
  struct Query {
    let row: Table
    let prompt: [Int32]
    let promptText: String?
    let reference: [Int32]?
    let referenceText: String?
  }

  func query(_ row: Table, name: String) throws(GRAOError) -> Query {
    do {
      let (prompt, promptText) = try prompt(row)
      let (reference, referenceText) = try reference(row)
      return Query(
        row: row, prompt: prompt, promptText: promptText, reference: reference, referenceText: referenceText)
    } catch {
      throw GRAOError("\(name): \(error.message)")
    }
  }

  private func prompt(_ row: Table) throws(GRAOError) -> ([Int32], String?) {
    guard let value = row["prompt"], !value.isNull else { throw GRAOError("column 'prompt' is missing") }
    if let text = value.string { return (try model.encode(Prompt.text(text)), text) }
    let ids = try self.ids(value, column: "prompt")
    return (try model.encode(Prompt.ids(ids)), model.tokenizer?.decode(ids, skipSpecialTokens: false))
  }

  /// Column `reference`, else `chosen`; nil where the row has neither.
  private func reference(_ row: Table) throws(GRAOError) -> ([Int32]?, String?) {
    for column in ["reference", "chosen"] {
      guard let value = row[column], !value.isNull else { continue }
      if let text = value.string { return (try model.encode(Response.text(text)), text) }
      let ids = try self.ids(value, column: column)
      if ids.isEmpty { throw GRAOError("column '\(column)' is empty: it must have at least one token") }
      return (try model.encode(Response.ids(ids)), model.tokenizer?.decode(ids))
    }
    return (nil, nil)
  }

  private func ids(_ value: Value, column: String) throws(GRAOError) -> [Int32] {
    guard let array = value.array else {
      throw GRAOError("column '\(column)' must be a string or an array of token ids, not \(value.kind)")
    }
    if array.first?.table != nil {
      throw GRAOError(
        "column '\(column)' holds chat messages, which this version cannot render: write the prompt out as text")
    }
    var ids: [Int32] = []
    for element in array {
      guard let id = element.integer.flatMap({ Int32(exactly: $0) }) else {
        throw GRAOError("column '\(column)' must hold token ids only, not \(element.kind)")
      }
      ids.append(id)
    }
    return ids
  }
}

/// Samples completions of queries and scores them with a run's rewards.
struct Rollout {
  let model: Model
  let panel: RewardPanel
  /// The weight of each reward at this step.
  let weights: [Double]
  let step: Int

  /// One group for each query, its reference scored as a completion like any other.
  /// - Parameter options: `samples` completions each; the streams are named by its seed.
  func groups(
    _ queries: [RowReader.Query], _ options: GenerationOptions, progress: (Int) throws -> Void
  ) throws -> [Group] {
    let completions = try model.generate(queries.map { .ids($0.prompt) }, options, progress: progress)
    return try zip(queries, completions).map { query, completions in
      var seen = completions.map { completion in
        sample(query, completion.text, completion.ids, completion.finishReason, isReference: false)
      }
      if let reference = query.reference {
        seen.append(sample(query, query.referenceText, reference, .stop, isReference: true))
      }
      let scores = try panel.score(seen, weights: weights)
      var group = Group(prompt: query.prompt, reference: query.reference)
      group.samples = zip(completions, scores).map { completion, score in
        var sample = Group.Sample(ids: completion.ids, reward: score.total, logprobs: completion.logprobs)
        sample.text = completion.text
        sample.finishReason = completion.finishReason
        sample.failed = score.failed
        sample.rewards = zip(panel.rewards, score.values).compactMap { reward, value in
          value.map { (reward.name, $0) }
        }
        return sample
      }
      if query.reference != nil { group.referenceReward = scores.last?.total }
      return group
    }
  }

  private func sample(
    _ query: RowReader.Query, _ text: String?, _ ids: [Int32], _ reason: FinishReason, isReference: Bool
  ) -> RewardSample {
    RewardSample(
      prompt: model.tokenizer == nil ? nil : query.promptText, completion: text, reference: query.referenceText,
      ids: ids, finishReason: reason, row: query.row, step: step, isReference: isReference)
  }
}
