import Foundation
import Glibc
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
  /// - Parameters:
  ///   - signal: sent once the script has printed a line.
  ///   - input: what stands on standard input.
  ///   - onTerminal: whether standard output is a terminal.
  func run(
    _ arguments: String..., environment: [String: String] = [:], signal: Int32? = nil, input: Data = Data(),
    onTerminal: Bool = false
  ) throws -> Outcome {
    let process = Process()
    process.executableURL = try Self.command
    process.arguments = arguments
    process.currentDirectoryURL = URL(filePath: path)
    var inherited = ProcessInfo.processInfo.environment
    for name in ["GRAO_KERNELS", "GRAO_GRADIENTS", "GRAO_PLUGIN_PATH", "NO_COLOR"] { inherited[name] = nil }
    inherited["ROOT"] = Fixtures.root
    process.environment = inherited.merging(environment) { $1 }
    // Files: a full pipe would stop the process.
    try write("", to: ".output")
    try write("", to: ".errors")
    try input.write(to: URL(filePath: "\(path)/.input"))
    process.standardInput = try FileHandle(forReadingFrom: URL(filePath: "\(path)/.input"))
    let terminal = onTerminal ? try Terminal() : nil
    process.standardOutput = try terminal?.slave ?? FileHandle(forWritingTo: URL(filePath: "\(path)/.output"))
    process.standardError = try FileHandle(forWritingTo: URL(filePath: "\(path)/.errors"))
    try process.run()
    // Nothing here takes seconds: whoever is still there has hung.
    let deadline = Date.now + 30
    if let signal {
      while process.isRunning, !text(".output").contains("\n"), Date.now < deadline { usleep(2000) }
      kill(process.processIdentifier, signal)
    }
    while process.isRunning, Date.now < deadline {
      usleep(2000)
      terminal?.read()
    }
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    return Outcome(
      code: process.terminationReason == .exit ? process.terminationStatus : nil,
      output: terminal?.read() ?? text(".output"), errors: text(".errors"))
  }
}

/// A terminal that a process may write to.
private final class Terminal {
  let slave: FileHandle
  private let master: Int32
  private var bytes: [UInt8] = []

  init() throws {
    // Linux's /dev/ptmx: TIOCSPTLCK unlocks the other end, TIOCGPTN tells its number.
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK)
    var (isLocked, number) = (Int32(0), UInt32(0))
    guard master >= 0, ioctl(master, 0x4004_5431, &isLocked) == 0, ioctl(master, 0x8004_5430, &number) == 0 else {
      throw POSIXError(.init(rawValue: errno) ?? .EIO)
    }
    slave = FileHandle(fileDescriptor: open("/dev/pts/\(number)", O_RDWR | O_NOCTTY), closeOnDealloc: true)
  }

  deinit { close(master) }

  /// All that was written so far, with line ends as a program writes them.
  @discardableResult func read() -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = Glibc.read(master, &buffer, buffer.count)
      guard count > 0 else { break }
      bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\n")
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
