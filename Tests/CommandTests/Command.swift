import Foundation
import TestSupport
import Testing

/// The built grao-run, as a user's shell runs it.
@Suite(.machine) struct CommandSuite {}

/// How a run of grao-run ended.
struct Outcome {
  /// The exit code; nil where a signal ended the process.
  let code: Int32?
  let output: String
  let errors: String

  /// The lines of standard error, those of progress apart.
  var messages: [String] { split(errors).filter { !$0.hasPrefix("step ") } }
  var progress: [String] { split(errors).filter { $0.hasPrefix("step ") } }
  /// The lines of standard output.
  var lines: [String] { split(output) }
}

private func split(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

/// A folder to run grao-run in; it goes with the object.
final class Workplace {
  /// Without links, as the command names it.
  let path: String

  init(_ files: [String: String] = [:]) throws {
    let folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
      .appending(path: "grao-command-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    path = folder.path
    for (name, text) in files { try write(text, to: name) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, to name: String) throws {
    let file = URL(filePath: "\(path)/\(name)")
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: "\(path)/\(name)")) }
  func text(_ name: String) -> String { (try? String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)) ?? "" }
  func lines(_ name: String) -> [String] { split(text(name)) }
  func names(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)").sorted()
  }

  /// Beside the test bundle.
  private static var command: URL {
    get throws {
      let bundle = try #require(Bundle.main.executableURL).resolvingSymlinksInPath().deletingLastPathComponent()
      return bundle.appending(path: "grao-run")
    }
  }

  /// Runs `grao-run arguments…` here. Scripts find the repository's root in ROOT.
  /// - Parameter signal: sent once the script has printed a line.
  func run(
    _ arguments: String..., environment: [String: String] = [:], signal: Int32? = nil
  ) throws -> Outcome {
    let process = Process()
    process.executableURL = try Self.command
    process.arguments = arguments
    process.currentDirectoryURL = URL(filePath: path)
    var inherited = ProcessInfo.processInfo.environment
    for name in ["GRAO_KERNELS", "GRAO_GRADIENTS", "GRAO_PLUGIN_PATH"] { inherited[name] = nil }
    inherited["ROOT"] = Fixtures.root
    process.environment = inherited.merging(environment) { $1 }
    // Files: a full pipe would stop the process.
    try write("", to: ".output")
    try write("", to: ".errors")
    process.standardOutput = try FileHandle(forWritingTo: URL(filePath: "\(path)/.output"))
    process.standardError = try FileHandle(forWritingTo: URL(filePath: "\(path)/.errors"))
    try process.run()
    // Nothing here takes seconds: whoever is still there has hung.
    let deadline = Date.now + 30
    if let signal {
      while process.isRunning, !text(".output").contains("\n"), Date.now < deadline { usleep(2000) }
      kill(process.processIdentifier, signal)
    }
    while process.isRunning, Date.now < deadline { usleep(2000) }
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    return Outcome(
      code: process.terminationReason == .exit ? process.terminationStatus : nil, output: text(".output"),
      errors: text(".errors"))
  }
}

/// What scripts here begin with, on one line: `model` and `data` of ids, and `options` for two steps of GRAO.
let setup = """
  local grao, fixtures = require "grao", os.getenv "ROOT" .. "/Tests/Fixtures/models/" \
  local model = grao.load(fixtures .. "qwen3_moe") \
  local rows = {} for i = 1, 6 do rows[i] = { prompt = { i + 2, 40 + i }, reference = { 60 + i, 2 } } end \
  local data = grao.dataset(rows) \
  local options = { model = model, method = "grao", data = data, steps = 2, prompts_per_step = 4, group_size = 4, \
  max_new_tokens = 6, optimizer = { learning_rate = 0.01 }, \
  rewards = { { name = "even", score = function(s) return s.ids[1] % 7 + #s.ids / 10 end } } }
  """.replacingOccurrences(of: "\n", with: " ") + " "
