import Foundation
import Values

/// How requests are sent: how many at once, and what happens to those that fail.
struct HTTPPolicy: Sendable {
  /// Requests under way at once.
  var concurrency = 8
  /// Seconds that one attempt may take.
  var timeout = 60.0
  /// Attempts after the first.
  var retries = 4
  /// Seconds before the second attempt; each further one waits twice as long as the one before.
  var backoff = 1.0

  /// However often it has doubled.
  private static let longestBackoff = 60.0

  /// Whether a reply's status means that the same request may succeed later.
  static func isTransient(_ status: Int) -> Bool { status == 408 || status == 429 || (500...599).contains(status) }

  /// Seconds to wait after the attempt with this number, from 1. Requests that failed together do not come back
  /// together: each waits between half and all of its time.
  func delay(after attempt: Int, request: Int) -> Double {
    var stream = RandomStream(seed: UInt64(request), UInt64(attempt))
    let whole = min(backoff * pow(2, Double(attempt - 1)), Self.longestBackoff)
    return whole * (0.5 + 0.5 * stream.uniform())
  }

  /// The seconds that a header Retry-After asks for: a number, or an HTTP date.
  static func seconds(retryAfter text: String?, now: Date = Date()) -> Double? {
    guard let text = text?.trimmingCharacters(in: .whitespaces) else { return nil }
    if let seconds = Double(text) { return seconds.isFinite ? max(seconds, 0) : nil }
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(identifier: "GMT")
    format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    return format.date(from: text).map { max($0.timeIntervalSince(now), 0) }
  }
}
