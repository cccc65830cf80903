import Foundation

/// A bar on a terminal's last line, redrawn in place. It hides and changes nothing else of the terminal, so that a run
/// cut off at any moment leaves it as it was.
public final class ProgressBar: ProgressReporter {
  private let unicode: Bool
  private let width: () -> Int
  private let write: (String) -> Void
  private var isDrawn = false

  /// - Parameters:
  ///   - width: the terminal's columns now.
  ///   - write: writes to the terminal.
  package init(unicode: Bool, width: @escaping () -> Int, write: @escaping (String) -> Void) {
    self.unicode = unicode
    self.width = width
    self.write = write
  }

  public func report(_ progress: RunProgress) {
    // The last column stays free: a terminal may wrap after it.
    write("\r" + ProgressText.bar(progress, width: width() - 1, unicode: unicode) + "\u{1B}[K")
    isDrawn = true
  }

  public func clear() {
    if isDrawn { write("\r\u{1B}[K") }
    isDrawn = false
  }

  public func finish() {
    if isDrawn { write("\n") }
    isDrawn = false
  }
}

/// One line a step, for logs and pipes.
public final class ProgressLines: ProgressReporter {
  private let write: (String) -> Void

  /// - Parameter write: takes a line with its end.
  package init(write: @escaping (String) -> Void) { self.write = write }

  public func report(_ progress: RunProgress) { write(ProgressText.line(progress) + "\n") }
  public func clear() {}
  public func finish() {}
}

/// The standard error stream, where progress goes.
public enum StandardError {
  /// A bar where standard error is a terminal that can redraw a line, else one line a step.
  public static func reporter() -> any ProgressReporter {
    let environment = ProcessInfo.processInfo.environment
    guard isatty(STDERR_FILENO) == 1, environment["TERM"] != "dumb" else { return ProgressLines(write: write) }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
    let unicode = locale.uppercased().contains("UTF-8") || locale.uppercased().contains("UTF8")
    return ProgressBar(unicode: unicode, width: columns, write: write)
  }

  private static func columns() -> Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  private static func write(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      // Nobody is there to read progress: not worth failing a run for.
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }
}
