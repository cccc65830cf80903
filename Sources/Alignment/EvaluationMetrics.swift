import Values

/// The rewards of one evaluated row.
public struct EvaluationRow: Sendable {
  /// Of the model's samples; nil where no reward applies.
  public var samples: [Double?]
  /// Of the row's reference, scored as a completion like any other; nil where the row has none or no reward applies.
  public var reference: Double?
  /// Of the baseline model's samples, paired with the model's by index; empty without a baseline.
  public var baseline: [Double?]

  /// - Parameters are rewards; nil where none applied.
  public init(samples: [Double?], reference: Double? = nil, baseline: [Double?] = []) {
    self.samples = samples
    self.reference = reference
    self.baseline = baseline
  }
}

/// How a model's samples compare to the references and to a baseline's samples. Shares lie in 0 … 1 and are taken over
/// samples; samples without a reward, and samples without a partner, are left out and counted.
public struct EvaluationMetrics: Sendable, Equatable {
  /// Samples with a reward.
  public private(set) var samples = 0
  /// Samples without one.
  public private(set) var excluded = 0
  /// Mean and standard deviation (1/n) of the samples' rewards; nil where there are none.
  public private(set) var rewardMean: Double?
  public private(set) var rewardStd: Double?

  /// Samples o compared to their row's reference y, and the shares with R(o) > R(y), R(o) = R(y), R(o) < R(y).
  public private(set) var compared = 0
  public private(set) var win: Double?
  public private(set) var tie: Double?
  public private(set) var loss: Double?

  /// Samples compared to the baseline's of the same row and index, and the shares with a greater and a smaller reward.
  public private(set) var paired = 0
  public private(set) var gain: Double?
  public private(set) var decline: Double?

  /// The relative adversarial score: the share of wins.
  public var ras: Double? { win }
  /// The share of wins and ties.
  public var rasWithTies: Double? { win.flatMap { win in tie.map { win + $0 } } }
  /// The normalized alignment gain: the share of gains less the share of declines, −1 … 1.
  public var nag: Double? { gain.flatMap { gain in decline.map { gain - $0 } } }

  /// The shares over all samples of all rows.
  public init(rows: [EvaluationRow]) {
    var rewards: [Double] = []
    var (toReference, toBaseline) = (Counts(), Counts())
    for row in rows {
      for (index, sample) in row.samples.enumerated() {
        guard let sample else {
          excluded += 1
          continue
        }
        rewards.append(sample)
        if let reference = row.reference { toReference.count(sample, against: reference) }
        if row.baseline.indices.contains(index), let before = row.baseline[index] {
          toBaseline.count(sample, against: before)
        }
      }
    }
    samples = rewards.count
    if !rewards.isEmpty {
      let moments = Moments(of: rewards)
      (rewardMean, rewardStd) = (moments.mean, moments.deviation)
    }
    compared = toReference.total
    (win, tie, loss) = (toReference.share(\.above), toReference.share(\.equal), toReference.share(\.below))
    paired = toBaseline.total
    (gain, decline) = (toBaseline.share(\.above), toBaseline.share(\.below))
  }

  private struct Counts {
    var (above, equal, below) = (0, 0, 0)
    var total: Int { above + equal + below }

    mutating func count(_ value: Double, against other: Double) {
      if value > other { above += 1 } else if value == other { equal += 1 } else { below += 1 }
    }

    func share(_ part: KeyPath<Counts, Int>) -> Double? {
      total > 0 ? Double(self[keyPath: part]) / Double(total) : nil
    }
  }

  /// The metrics under their names in scripts and records; those that have no value are absent.
  public var table: Table {
    let numbers: [(String, Double?)] = [
      ("reward_mean", rewardMean), ("reward_std", rewardStd), ("win", win), ("tie", tie), ("loss", loss), ("ras", ras),
      ("ras_with_ties", rasWithTies), ("gain", gain), ("decline", decline), ("nag", nag),
    ]
    let counts = [("samples", samples), ("excluded", excluded), ("compared", compared), ("paired", paired)]
    return Table(
      numbers.compactMap { name, value in value.map { (name, .number($0)) } } + counts.map { ($0, .integer($1)) })
  }
}
