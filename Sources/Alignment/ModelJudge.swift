import Foundation
import Models
import Sampling
import Values

/// A language model of our own as judge: is the completion better than the reference, by a criterion? Scores lie in
/// −1 … 1; a reference itself has 0. All questions of a step are asked together, each pair of texts in both orders, and
/// a score is half the difference of the two answers, so that what the order suggests cancels.
public final class ModelJudge: RewardScorer, NamedObject {
  /// How an answer is got from the model.
  public enum Answers: String, Sendable, CaseIterable {
    /// p("1 > 2") − p("1 < 2"), where the probabilities of the three answers are made to sum to 1. Never malformed.
    case logprobs
    /// 1, 0 or −1 for what the model writes at temperature 0; another text is an error of the sample.
    case greedy
  }

  /// The judge.
  public let model: Model
  /// Its name among a run's rewards.
  public let name = "judge"
  /// "helpful", "harmless", or which text is to be preferred in the user's own words.
  public let criterion: String
  /// How its answers are got.
  public let answers: Answers
  /// Tokens that a greedy answer may have.
  public let maxNewTokens: Int
  /// Called often while it works; throws to stop.
  public var checkInterrupt: () throws -> Void = {}

  /// - Parameters:
  ///   - criterion: what answers are judged by, in the words of the question.
  ///   - maxNewTokens: of an answer in words.
  public init(_ model: Model, criterion: String = "helpful", answers: Answers = .logprobs, maxNewTokens: Int = 16) {
    self.model = model
    self.criterion = criterion
    self.answers = answers
    self.maxNewTokens = maxNewTokens
  }

  /// All questions of a step are asked together.
  public var scoresBatches: Bool { true }
  private var question: JudgeQuestion { JudgeQuestion(criterion: criterion) }

  /// Tokens of one forward pass.
  private static let microBatchTokens = 2048

  /// One result for each sample, in order.
  public func score(_ samples: [RewardSample]) -> [Result<RewardScore, any Error>] {
    var places: [String: Int] = [:]
    var texts: [String] = []
    /// The questions about each sample: the completion first, and second.
    let pairs: [(Int, Int)?] = samples.map { sample in
      if sample.isReference || sample.completion == sample.reference { return nil }
      guard let first = question.text(sample, completionFirst: true),
        let second = question.text(sample, completionFirst: false)
      else { return nil }
      func place(_ text: String) -> Int {
        if let place = places[text] { return place }
        places[text] = texts.count
        texts.append(text)
        return texts.count - 1
      }
      return (place(first), place(second))
    }
    let verdicts: [Result<Double, any Error>]
    do { verdicts = try ask(texts) } catch { return samples.map { _ in .failure(error) } }
    return zip(samples, pairs).map { sample, pair in
      guard let pair else {
        return .success(RewardScore(sample.completion == nil || sample.reference == nil ? nil : 0))
      }
      return Result {
        let (first, second) = (try verdicts[pair.0].get(), try verdicts[pair.1].get())
        return RewardScore((first - second) / 2, numbers: ["order_bias": abs(first + second) / 2])
      }
    }
  }

  /// The answer to each question, in −1 … 1, or why there is none.
  private func ask(_ texts: [String]) throws -> [Result<Double, any Error>] {
    try model.checkOpen()
    let prompts = texts.map { text in Result { try prompt(text) } }
    let asked = prompts.compactMap { try? $0.get() }
    let found =
      switch answers {
      case .logprobs: try compare(asked)
      case .greedy: try write(asked)
      }
    var rest = found[...]
    return prompts.map { prompt in prompt.flatMap { _ in rest.removeFirst() } }
  }

  private struct Question {
    let prompt: Prompt
    let ids: [Int32]
    /// The token ids of "1 > 2", "1 = 2" and "1 < 2".
    let answers: [[Int32]]
  }

  private func prompt(_ text: String) throws -> Question {
    let isChat = model.tokenizer?.chatTemplate != nil
    let prompt = isChat ? Prompt.messages([["role": "user", "content": .string(text)]]) : .text(text + "\n\nAnswer:")
    do {
      let answers = try JudgeQuestion.answers.map { answer in
        try model.encode(.text(isChat ? answer : " " + answer), after: prompt).ids
      }
      let ids = try model.encode(prompt)
      try model.checkContext(SequenceTree(prompt: ids, branches: answers))
      return Question(prompt: prompt, ids: ids, answers: answers)
    } catch let error as GRAOError {
      throw GRAOError("the judge cannot be asked: \(error.message)")
    }
  }

  private func compare(_ questions: [Question]) throws -> [Result<Double, any Error>] {
    let trees = questions.map { SequenceTree(prompt: $0.ids, branches: $0.answers) }
    let logp = try model.network.logProbabilities(
      trees, temperature: 1, microBatchTokens: Self.microBatchTokens, checkInterrupt: checkInterrupt)
    return logp.map { branches in
      let sums = branches.map { $0.reduce(0) { $0 + Double($1) } }
      let highest = sums.max() ?? 0
      let shares = sums.map { exp($0 - highest) }
      let total = shares.reduce(0, +)
      return .success(zip(shares, JudgeQuestion.values).reduce(0) { $0 + $1.0 / total * $1.1 })
    }
  }

  private func write(_ questions: [Question]) throws -> [Result<Double, any Error>] {
    var options = GenerationOptions()
    options.temperature = 0
    options.maxNewTokens = maxNewTokens
    let written = try model.generate(questions.map(\.prompt), options) { _ in try checkInterrupt() }
    return written.map { completions in
      let answer = completions.first?.text ?? ""
      return Result {
        guard let verdict = JudgeQuestion.verdict(answer) else {
          throw GRAOError("the judge's answer is none of '1 > 2', '1 = 2' and '1 < 2': \(answer.suffix(200))")
        }
        return verdict
      }
    }
  }
}
