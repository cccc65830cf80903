import Sampling
import Values

/// A prompt with its completions and their rewards: what one query contributes to an optimizer step.
public struct Group {
  /// Token ids of the query q.
  public var prompt: [Int32]
  /// The completions o₁ … o_G, with their rewards.
  public var samples: [Sample]
  /// The reference answer y, for sft and grao.
  public var reference: [Int32]?
  /// False for the reference's tokens that are not trained on; nil trains on all.
  public var referenceMask: [Bool]?
  /// R(y); nil where it has none.
  public var referenceReward: Double?
  /// Each reward's own value of the reference, as ``Sample/rewards``.
  public var referenceRewards: [(name: String, value: Double)] = []
  /// The rewards that failed on the reference.
  public var referenceFailures: [String] = []
  /// The judged responses, for dpo.
  public var chosen: EncodedResponse?
  /// The one that was judged the worse.
  public var rejected: EncodedResponse?
  /// By how much more the chosen response should be scored, for reward.
  public var margin: Double?

  /// - Parameters:
  ///   - prompt: token ids.
  ///   - reference: token ids.
  public init(
    prompt: [Int32], samples: [Sample] = [], reference: [Int32]? = nil, referenceReward: Double? = nil
  ) {
    self.prompt = prompt
    self.samples = samples
    self.reference = reference
    self.referenceReward = referenceReward
  }

  /// One completion.
  public struct Sample {
    /// The completion's tokens, the one that ended it included.
    public var ids: [Int32]
    /// Nil where no reward applied, or one failed: the sample is left out.
    public var reward: Double?
    /// The behaviour policy's log-probabilities, at the run's `logprob_temperature`.
    public var logprobs: [Float]?
    /// False for tokens that are not trained on; nil trains on all.
    public var mask: [Bool]?
    /// As rewards see it; nil without a tokenizer.
    public var text: String?
    /// Nil where it was not sampled here.
    public var finishReason: FinishReason?
    /// Each reward's own value, by name, unweighted; those that do not apply are absent.
    public var rewards: [(name: String, value: Double)] = []
    /// What rewards log besides, by `<reward>/<key>`.
    public var numbers: [(name: String, value: Double)] = []
    /// The rewards that failed on it, under ``RewardErrorPolicy/skip``.
    public var failures: [String] = []
    /// Whether any reward failed on it.
    public var failed: Bool { !failures.isEmpty }

    /// - Parameters:
    ///   - logprobs: the behaviour policy's, one for each id; nil: the current policy sampled it.
    ///   - mask: one for each id, false for what is not trained on; nil: all is.
    public init(ids: [Int32], reward: Double? = nil, logprobs: [Float]? = nil, mask: [Bool]? = nil) {
      self.ids = ids
      self.reward = reward
      self.logprobs = logprobs
      self.mask = mask
    }
  }
}
