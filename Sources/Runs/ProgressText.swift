import Foundation

/// The words and bars of progress, as pure functions.
package enum ProgressText {
  /// One line: "step 12/100  reward 0.431  loss -0.0123  1.2k tokens/s  ETA 1:23".
  package static func line(_ progress: RunProgress) -> String {
    ([step(progress)] + fields(progress)).joined(separator: "  ")
  }

  /// At most `width` columns: the line with a bar after the step where there is room, and without its last fields where
  /// there is none even for them.
  package static func bar(_ progress: RunProgress, width: Int, unicode: Bool) -> String {
    var fields = fields(progress)
    let step = step(progress)
    func text() -> String { ([step] + fields).joined(separator: "  ") }
    while text().count > width, !fields.isEmpty { fields.removeLast() }
    let room = min(40, width - text().count - 1)
    guard let steps = progress.steps, steps > 0, room >= 6 else { return String(text().prefix(max(width, 0))) }
    let filled = Int((Double(room) * min(1, max(0, Double(progress.step) / Double(steps)))).rounded(.down))
    let (full, empty) = unicode ? ("━", "┄") : ("#", "-")
    let bar = String(repeating: full, count: filled) + String(repeating: empty, count: room - filled)
    return (["\(step) \(bar)"] + fields).joined(separator: "  ")
  }

  private static func step(_ progress: RunProgress) -> String {
    guard let steps = progress.steps else { return "step \(progress.step)" }
    let step = String(progress.step)
    return "step \(String(repeating: " ", count: max(0, String(steps).count - step.count)))\(step)/\(steps)"
  }

  private static func fields(_ progress: RunProgress) -> [String] {
    var fields: [String] = []
    if let reward = progress.reward { fields.append("reward \(number(reward))") }
    if let loss = progress.loss { fields.append("loss \(number(loss))") }
    if let speed = progress.tokensPerSecond { fields.append("\(count(speed)) tokens/s") }
    if let left = progress.secondsLeft { fields.append("ETA \(duration(left))") }
    return fields
  }

  /// Four significant digits: "0.4310", "-12.35", "1.235e-06".
  package static func number(_ value: Double) -> String {
    guard value.isFinite else { return "\(value)" }
    let size = abs(value)
    if value == 0 { return "0" }
    guard size >= 0.001, size < 1e6 else { return String(format: "%.3e", value) }
    return String(format: "%.*f", max(0, 3 - Int(log10(size).rounded(.down))), value)
  }

  /// "950", "1.2k", "12k", "3.4M".
  package static func count(_ value: Double) -> String {
    guard value.isFinite, value >= 0 else { return "?" }
    for (unit, suffix) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] where value >= unit {
      return String(format: value < 9.95 * unit ? "%.1f" : "%.0f", value / unit) + suffix
    }
    return String(format: "%.0f", value)
  }

  /// "0:07", "12:34", "3:02:01", "2d 03h".
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e8 else { return "?" }
    let whole = Int(seconds.rounded())
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
    if hours >= 24 { return String(format: "%dd %02dh", hours / 24, hours % 24) }
    if hours > 0 { return String(format: "%d:%02d:%02d", hours, minutes, rest) }
    return String(format: "%d:%02d", minutes, rest)
  }
}
