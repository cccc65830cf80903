import Models
import Values

/// How completions are drawn.
public struct GenerationOptions: Sendable {
  /// Completions for each prompt.
  public var samples = 1
  /// Tokens of a completion at most, its end-of-sequence token included.
  public var maxNewTokens = 2048
  /// 0 is greedy: the most probable token, the lower id where two are equal.
  public var temperature: Float = 1
  /// Keep the k most probable tokens; 0 keeps all.
  public var topK = 0
  /// Keep the smallest set of most probable tokens whose probabilities reach p; 1 keeps all.
  public var topP: Float = 1
  /// Keep tokens at least p times as probable as the most probable one; 0 keeps all.
  public var minP: Float = 0
  /// Texts that end a completion; they are cut from its text, its ids keep their tokens.
  public var stop: [String] = []
  /// Names the random streams: one for each (seed, prompt, sample).
  public var seed: UInt64 = 0
  /// What ``Completion/logprobs`` are.
  public var logprobs = LogProbabilities.temperature(1)

  /// One completion at temperature 1, unfiltered.
  public init() {}

  /// - Throws: where a number is out of its range, naming it.
  package func check() throws(GRAOError) {
    for (name, value, range) in [
      ("samples", samples, 1...1 << 20), ("max_new_tokens", maxNewTokens, 1...Int.max), ("top_k", topK, 0...1 << 30),
    ] where !range.contains(value) {
      throw GRAOError("option '\(name)' must be from \(range.lowerBound) to \(range.upperBound), not \(value)")
    }
    guard temperature.isFinite, temperature >= 0 else {
      throw GRAOError("option 'temperature' must be 0 or more, not \(temperature)")
    }
    for (name, value) in [("top_p", topP), ("min_p", minP)] where !(0...1).contains(value) {
      throw GRAOError("option '\(name)' must be from 0 to 1, not \(value)")
    }
  }

  /// Which log-probabilities a completion carries.
  public enum LogProbabilities: Sendable {
    /// The model's at this temperature, over the whole vocabulary.
    case temperature(Float)
    /// Those of the distribution that the token was drawn from, filters applied.
    case sampling
  }
}

/// What a model said after a prompt.
public struct Completion: Sendable {
  /// Decoded ids, without the end-of-sequence token and what follows a stop string; nil without a tokenizer.
  public var text: String?
  /// The sampled tokens, the end-of-sequence token that ended them included.
  public var ids: [Int32]
  /// Natural logarithm of each token's probability: bit for bit what the training pass computes.
  public var logprobs: [Float]
  /// Why it ended.
  public var finishReason: FinishReason
}

/// Why a completion ended.
public enum FinishReason: String, Sendable {
  /// An end-of-sequence token or a stop string.
  case stop
  /// The bound on new tokens, or the end of the model's context.
  case length
}
