import Runs
import Testing

private let progress = RunProgress(
  step: 12, steps: 100, reward: 0.4312, loss: -0.01234, tokensPerSecond: 1234, secondsLeft: 83)

struct ProgressTextTests {
  @Test func aLineSaysWhatIsKnown() {
    #expect(
      ProgressText.line(progress) == "step  12/100  reward 0.4312  loss -0.01234  1.2k tokens/s  ETA 1:23")
    #expect(ProgressText.line(RunProgress(step: 3, steps: nil, loss: 2)) == "step 3  loss 2.000")
    #expect(ProgressText.line(RunProgress(step: 1, steps: 1)) == "step 1/1")
  }

  @Test func aBarFillsTheRoomThereIs() {
    #expect(
      ProgressText.bar(RunProgress(step: 1, steps: 4, loss: 2), width: 41, unicode: false)
        == "step 1/4 #####---------------  loss 2.000")
    #expect(
      ProgressText.bar(RunProgress(step: 4, steps: 4, loss: 2), width: 41, unicode: true)
        == "step 4/4 ━━━━━━━━━━━━━━━━━━━━  loss 2.000")
    #expect(
      ProgressText.bar(RunProgress(step: 0, steps: 4), width: 200, unicode: true)
        == "step 0/4 " + String(repeating: "┄", count: 40))
    #expect(ProgressText.bar(RunProgress(step: 9, steps: nil), width: 80, unicode: true) == "step 9")
    // Beyond its end, as when driven by hand.
    #expect(ProgressText.bar(RunProgress(step: 9, steps: 4), width: 20, unicode: false) == "step 9/4 ###########")
  }

  @Test func aBarNeverIsWiderThanItsTerminal() {
    for width in -1...120 {
      let bar = ProgressText.bar(progress, width: width, unicode: true)
      #expect(bar.count <= max(width, 0), "\(width): \(bar)")
    }
    #expect(ProgressText.bar(progress, width: 30, unicode: false) == "step  12/100  reward 0.4312")
    #expect(ProgressText.bar(progress, width: 6, unicode: false) == "step  ")
  }

  @Test(
    arguments: [
      (0, "0"), (0.43125, "0.4313"), (-12.345, "-12.35"), (123456, "123456"), (0.001, "0.001000"), (1e-6, "1.000e-06"),
      (-2.5e6, "-2.500e+06"), (1, "1.000"), (.infinity, "inf"), (.nan, "nan"),
    ] as [(Double, String)])
  func numbers(value: Double, text: String) { #expect(ProgressText.number(value) == text) }

  @Test(
    arguments: [
      (0, "0"), (999, "999"), (1000, "1.0k"), (9940, "9.9k"), (9960, "10k"), (123_456, "123k"), (2.5e6, "2.5M"),
      (4e9, "4.0G"), (-1, "?"), (.nan, "?"),
    ] as [(Double, String)])
  func counts(value: Double, text: String) { #expect(ProgressText.count(value) == text) }

  @Test(
    arguments: [
      (0, "0:00"), (59.4, "0:59"), (59.6, "1:00"), (3599, "59:59"), (3600, "1:00:00"), (86_399, "23:59:59"),
      (100_000, "1d 03h"), (1e300, "?"), (-1, "?"), (.nan, "?"),
    ] as [(Double, String)])
  func durations(seconds: Double, text: String) { #expect(ProgressText.duration(seconds) == text) }
}

struct ReporterTests {
  @Test func aBarIsRedrawnInPlaceAndLeftBehindAtTheEnd() {
    var (written, width) = ("", 21)
    let bar = ProgressBar(unicode: false, width: { width }, write: { written += $0 })
    bar.finish()
    bar.clear()
    #expect(written == "")
    bar.report(RunProgress(step: 1, steps: 2))
    #expect(written == "\rstep 1/2 #####------\u{1B}[K")
    (written, width) = ("", 11)
    bar.report(RunProgress(step: 2, steps: 2))
    #expect(written == "\rstep 2/2\u{1B}[K")
    written = ""
    bar.clear()
    bar.finish()
    #expect(written == "\r\u{1B}[K")
    bar.report(RunProgress(step: 2, steps: 2))
    written = ""
    bar.finish()
    #expect(written == "\n")
  }

  @Test func linesFollowEachOther() {
    var written = ""
    let lines = ProgressLines { written += $0 }
    lines.report(RunProgress(step: 1, steps: 2))
    lines.clear()
    lines.report(RunProgress(step: 2, steps: 2, reward: 1))
    lines.finish()
    #expect(written == "step 1/2\nstep 2/2  reward 1.000\n")
  }

  @Test func theTimeLeftFollowsTheLastSteps() {
    var times = StepTimes()
    #expect(times.seconds(for: 5) == nil)
    times.add(4)
    #expect(times.seconds(for: 5) == 20)
    for _ in 0..<10 { times.add(2) }
    #expect(times.seconds(for: 5) == 10)
    #expect(times.seconds(for: -1) == 0)
  }
}
