/// A group as a user's objective sees it: its sequences by their role, their log-probabilities tracked.
public final class TrackedGroup {
  /// The completions; nil where the group has none, as the others.
  public let samples: TrackedSequences?
  /// The reference answer.
  public let reference: TrackedSequences?
  /// The better response of a pair.
  public let chosen: TrackedSequences?
  /// The worse one.
  public let rejected: TrackedSequences?

  init(_ group: ObjectiveGroup, on tape: DerivativeTape) {
    func of(_ role: SequenceTokens.Role) -> TrackedSequences? {
      let places = group.sequences.indices.filter { group.sequences[$0].role == role }
      return places.isEmpty ? nil : TrackedSequences(places.map { group.sequences[$0] }, places: places, on: tape)
    }
    (samples, reference) = (of(.sample), of(.reference))
    (chosen, rejected) = (of(.chosen), of(.rejected))
  }

  var all: [TrackedSequences] { [samples, reference, chosen, rejected].compactMap(\.self) }
}

/// Some sequences of a group. What is not known of every one of them is nil.
public final class TrackedSequences {
  /// Where they stand in the group.
  let places: [Int]
  /// Sequences.
  public let count: Int
  /// Tokens that are trained on: [sequences].
  public let length: TrackedValue
  /// log π_θ, by which the loss is derived: [tokens].
  public let logp: TrackedValue
  /// log π_old of the behaviour policy, which is the current one where nothing else is known: [tokens].
  public let oldLogp: TrackedValue
  /// log π_ref of the frozen reference: [tokens].
  public let frozenLogp: TrackedValue?
  /// R: [sequences].
  public let reward: TrackedValue?
  /// Â: [sequences].
  public let advantage: TrackedValue?

  init(_ sequences: [SequenceTokens], places: [Int], on tape: DerivativeTape) {
    self.places = places
    count = sequences.count
    let layout = TokenLayout(sequences)
    let (tokens, each) = (TrackedShape.tokens(layout), TrackedShape.sequences(sequences.count))
    func known(_ numbers: [Double?]) -> TrackedValue? {
      let found = numbers.compactMap(\.self)
      return found.count == numbers.count ? TrackedValue(each, found, tape: tape) : nil
    }
    length = TrackedValue(each, layout.trained.map(Double.init), tape: tape)
    logp = tape.variable(tokens, sequences.flatMap(\.logp))
    oldLogp = TrackedValue(tokens, sequences.flatMap { $0.behaviour ?? $0.logp }, tape: tape)
    let frozen = sequences.compactMap(\.frozen)
    frozenLogp =
      frozen.count == sequences.count ? TrackedValue(tokens, frozen.flatMap(\.self), tape: tape) : nil
    reward = known(sequences.map(\.reward))
    advantage = known(sequences.map(\.advantage))
  }
}
