import Alignment
import Testing
import Values

struct RewardStatisticsTests {
  @Test func statisticsOfAStep() throws {
    let statistics = try #require(RewardStatistics(groups: [[1, 1, 1], [0, 2], [], [0.1, 0.1]]))
    expectClose(
      [statistics.mean, statistics.deviation, statistics.equalShare], [5.2 / 7, 1.0 / 3, 2.0 / 3], within: 1e-15)
    #expect(RewardStatistics(groups: [[], []]) == nil)
  }
}

struct EvaluationMetricsTests {
  @Test func byHand() {
    let metrics = EvaluationMetrics(rows: [
      EvaluationRow(samples: [1, 0], reference: 0.5, baseline: [0, 0]),
      EvaluationRow(samples: [1, nil], reference: 1, baseline: [2, 2]),
      EvaluationRow(samples: [2], reference: nil, baseline: [nil]),
      EvaluationRow(samples: [nil], reference: 1, baseline: [0]),
    ])
    #expect(metrics.samples == 4 && metrics.excluded == 2)
    // Rewards 1, 0, 1, 2.
    #expect(metrics.rewardMean == 1 && metrics.rewardStd == 0.5.squareRoot())
    #expect(metrics.compared == 3)
    #expect(metrics.win == 1.0 / 3 && metrics.tie == 1.0 / 3 && metrics.loss == 1.0 / 3)
    #expect(metrics.ras == metrics.win && metrics.rasWithTies == 2.0 / 3)
    // 1 against 0, 0 against 0, 1 against 2.
    #expect(metrics.paired == 3 && metrics.gain == 1.0 / 3 && metrics.decline == 1.0 / 3 && metrics.nag == 0)
    #expect(
      metrics.table.keys == [
        "reward_mean", "reward_std", "win", "tie", "loss", "ras", "ras_with_ties", "gain", "decline", "nag", "samples",
        "excluded", "compared", "paired",
      ])
  }

  @Test func aModelThatGetsWorseHasANegativeGain() {
    let rows = (0..<4).map { EvaluationRow(samples: [$0 == 0 ? 1 : 0], baseline: [0.5]) }
    let metrics = EvaluationMetrics(rows: rows)
    #expect(metrics.gain == 0.25 && metrics.decline == 0.75 && metrics.nag == -0.5)
  }

  @Test func whatHasNoValueIsAbsent() {
    #expect(EvaluationMetrics(rows: []).table.keys == ["samples", "excluded", "compared", "paired"])
    let alone = EvaluationMetrics(rows: [EvaluationRow(samples: [1])])
    #expect(alone.table.keys == ["reward_mean", "reward_std", "samples", "excluded", "compared", "paired"])
    #expect(EvaluationMetrics(rows: [EvaluationRow(samples: [nil], reference: 1)]).excluded == 1)
  }
}
