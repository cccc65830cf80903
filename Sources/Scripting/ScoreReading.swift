import GRAO
import Values

/// What the Lua function of a reward returned, as scores.
struct ScoreReading {
  /// Says that the function returned something else than was expected.
  let failure: (_ returned: Value, _ expected: String) -> GRAOError
  /// In words.
  let expectedScore: String

  /// Of `score`: `return value` or `return value, { key = number }`.
  func score(_ returned: [Value]) throws(GRAOError) -> RewardScore {
    try score(returned.first ?? .null, numbers(returned))
  }

  /// Of `score_batch`, in `batchWrapper`: `return scores` or `return scores, { key = number }`, where an element of
  /// `scores` is a number, nil or false where the reward does not apply, or `{ error = "what went wrong" }`.
  func scores(_ returned: [Value], count: Int) throws(GRAOError) -> [Result<RewardScore, any Error>] {
    guard let scores = returned.first?.array else {
      let expected = "an array with \(expectedScore) for each of \(count) samples"
      let hint = returned.first?["key"]?.string.map { ": it has the key '\($0)'" } ?? ""
      throw failure(returned.first ?? .null, expected + hint)
    }
    let numbers = try numbers(returned)
    var results: [Result<RewardScore, any Error>] = []
    for value in scores {
      if let message = value["error"]?.string {
        results.append(.failure(GRAOError(message)))
      } else {
        results.append(.success(try score(value == false ? .null : value, numbers)))
      }
    }
    return results
  }

  private func score(_ value: Value, _ numbers: [String: Double]) throws(GRAOError) -> RewardScore {
    if value.isNull { return RewardScore(nil, numbers: numbers) }
    guard let number = value.number else { throw failure(value, expectedScore) }
    return RewardScore(number, numbers: numbers)
  }

  /// The second result.
  private func numbers(_ returned: [Value]) throws(GRAOError) -> [String: Double] {
    guard returned.count > 1, !returned[1].isNull else { return [:] }
    let expected = "as its second result a table of numbers by name"
    guard let table = returned[1].table else { throw failure(returned[1], expected) }
    var numbers: [String: Double] = [:]
    for (key, value) in table {
      guard let number = value.number else { throw failure(value, expected) }
      numbers[key] = number
    }
    return numbers
  }

  /// Turns a score_batch function into one whose scores are an array without holes, nil become null. Of scores with
  /// keys that are no sample's, it returns one such key. A field `n`, as of table.pack, is no score.
  static let batchWrapper = """
    local score_batch, nulls = ...
    local next, type, kind, tostring, null = next, type, math.type, tostring, nulls[1]
    return function(samples, ...)
      local count = #samples
      local scores, numbers = score_batch(samples, ...)
      if type(scores) ~= "table" then return scores end
      for key in next, scores do
        if key ~= "n" and not (kind(key) == "integer" and key >= 1 and key <= count) then
          return { key = tostring(key) }
        end
      end
      local filled = {}
      for i = 1, count do
        local score = scores[i]
        if score == nil then score = null end
        filled[i] = score
      end
      return filled, numbers
    end
    """
}

/// A script's function that scores all samples of a step in one call.
final class BatchFunction: RewardScorer {
  private let function: LuaFunction
  private var wrapped: LuaFunction?
  private let reading = ScoreReading(
    failure: { GRAOError("a score_batch function returned \($0.kind), expected \($1)") },
    expectedScore: "a number or nil")

  init(_ function: LuaFunction) { self.function = function }

  var scoresBatches: Bool { true }

  func score(_ samples: [RewardSample]) -> [Result<RewardScore, any Error>] {
    do {
      return try reading.scores(try call(samples), count: samples.count)
    } catch {
      return samples.map { _ in .failure(error) }
    }
  }

  private func call(_ samples: [RewardSample]) throws -> [Value] {
    guard let state = function.state else { return try function.call() }
    let wrapped = try wrapped ?? state.wrap(function, in: ScoreReading.batchWrapper)
    self.wrapped = wrapped
    return try wrapped.call([.array(samples.map { Convert.value($0) })])
  }
}

extension LuaFunction: BatchScoring {
  package var batchScorer: any RewardScorer { BatchFunction(self) }
}
