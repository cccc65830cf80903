import Foundation

/// A moment on the wall clock: what `strftime_now` shows.
public struct LocalTime: Sendable {
  private let parts: [Int32]

  /// - Parameters:
  ///   - month: 1 to 12.
  ///   - day: 1 to 31.
  public init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
    parts = [year - 1900, month - 1, day, hour, minute, second].map { Int32(clamping: $0) }
  }

  /// Now, in the machine's time zone.
  public static func current() -> LocalTime {
    var moment = time(nil)
    var local = tm()
    localtime_r(&moment, &local)
    return LocalTime(
      year: Int(local.tm_year) + 1900, month: Int(local.tm_mon) + 1, day: Int(local.tm_mday),
      hour: Int(local.tm_hour), minute: Int(local.tm_min), second: Int(local.tm_sec))
  }

  /// The C library's strftime, as Python's.
  func formatted(_ format: Text) throws(Failure) -> Text {
    guard !format.isEmpty else { return "" }
    guard format.bytes.count <= 1024 else { throw Failure("strftime_now: a format of more than 1024 bytes") }
    var local = tm()
    (local.tm_year, local.tm_mon, local.tm_mday) = (parts[0], parts[1], parts[2])
    (local.tm_hour, local.tm_min, local.tm_sec) = (parts[3], parts[4], parts[5])
    // Fills in the day of the week and of the year.
    timegm(&local)
    var buffer = [CChar](repeating: 0, count: 64 * (format.bytes.count + 1))
    let count = strftime(&buffer, buffer.count, format.string, &local)
    return Text(String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self))
  }
}
