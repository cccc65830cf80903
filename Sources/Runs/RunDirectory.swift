import Foundation
import Values

/// What a run leaves on disk:
///
///     script.lua       the script as it ran, under its own name
///     options.json     every option as it was resolved
///     metrics.jsonl    one JSON object a step
///     model/           the trained model
///     interrupted/     in its place, where a signal ended the run: the model after the last whole step
public final class RunDirectory {
  /// Of the directory.
  public let path: String
  /// Where the trained model goes.
  public var modelPath: String { "\(path)/model" }
  /// Where the model of an interrupted run goes.
  public var interruptedPath: String { "\(path)/interrupted" }

  private let metrics: Int32

  /// Makes the directory, or takes an empty one; one that holds anything is refused, so that no run overwrites another.
  /// - Parameters:
  ///   - script: the script's file name and content; nil for a run without one.
  ///   - options: the resolved options; host objects must have been described before.
  public init(creating path: String, script: (name: String, content: [UInt8])? = nil, options: Table) throws(GRAOError)
  {
    try checkPath(path)
    let resolved = try JSON.print(.table(options), pretty: true) + "\n"
    let files = FileManager.default
    var isDirectory: ObjCBool = false
    if files.fileExists(atPath: path, isDirectory: &isDirectory) {
      guard isDirectory.boolValue else { throw GRAOError("run directory \(path): a file of this name exists") }
      guard let content = try? files.contentsOfDirectory(atPath: path) else {
        throw GRAOError("run directory \(path): cannot be read")
      }
      guard content.isEmpty else {
        let what = content.contains("metrics.jsonl") ? "already holds a run" : "is not empty"
        throw GRAOError("run directory \(path): \(what); choose another run_dir, or remove it")
      }
    }
    do {
      try files.createDirectory(atPath: path, withIntermediateDirectories: true)
      try Data(resolved.utf8).write(to: URL(filePath: "\(path)/options.json"))
      if let script {
        let name = script.name.split(separator: "/").last.map(String.init) ?? "script.lua"
        try Data(script.content).write(to: URL(filePath: "\(path)/\(name)"))
      }
    } catch { throw GRAOError("run directory \(path): cannot be written") }
    self.path = path
    metrics = open("\(path)/metrics.jsonl", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard metrics >= 0 else { throw GRAOError("run directory \(path): metrics.jsonl cannot be written") }
  }

  deinit { if metrics >= 0 { close(metrics) } }

  /// Appends one line to metrics.jsonl in one write, so that a reader, or a run cut off, sees whole lines.
  public func append(_ table: Table) throws(GRAOError) {
    for (name, value) in table {
      if let number = value.number, !number.isFinite {
        throw GRAOError("metrics: \(name) is \(number) at step \(table["step"]?.integer.map(String.init) ?? "?")")
      }
    }
    let line = Array((try JSON.print(.table(table)) + "\n").utf8)
    var written = 0
    while written < line.count {
      let count = line.withUnsafeBytes { write(metrics, $0.baseAddress.map { $0 + written }, line.count - written) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        throw GRAOError("run directory \(path): metrics.jsonl: \(String(cString: strerror(errno)))")
      }
      written += count
    }
  }
}
