import ArgumentParser
import Foundation
import GRAO
import Scripting

/// Aligns language models with Lua scripts.
struct GraoRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "grao-run",
    abstract: "Aligns language models: runs a Lua script that loads a model, rewards its completions and trains it.",
    discussion: """
      A script begins with local grao = require "grao", then

        local model = grao.load("models/SmolLM2-135M-Instruct.gguf")
        local data = grao.dataset("questions.jsonl")
        grao.train { model = model, method = "grao", data = data, steps = 50,
                     rewards = { grao.plugin("exact_match") } }
        model:save("aligned")

      Further commands, which explain themselves with --help:

        grao-run inspect MODEL               what its files hold, and what of it is not supported
        grao-run tokenize MODEL [TEXT ...]   token ids and pieces; with --chat FILE.json those of a conversation
        grao-run options                     every option of grao.train and grao.evaluate

      Progress and logs go to standard error, what the script prints to standard output. Exit code 0: done; 1: the \
      script or the run failed; 2: wrong usage; 130: interrupted.

      Environment: GRAO_KERNELS (avx512bf16, avx512, avx2, neon, plain) chooses the kernels, GRAO_GRADIENTS (own, openblas) who \
      computes the gradient products, GRAO_PLUGIN_PATH further folders of plugins.
      """,
    version: Engine.version)

  @Option(help: "Threads that compute; results do not depend on it. (default: all cores)")
  var threads: Int?

  @Option(help: "A folder with plugins, searched first; may be given more than once.")
  var pluginPath: [String] = []

  @Argument(help: "The Lua script.")
  var script: String

  @Argument(parsing: .captureForPassthrough, help: "What the script finds in its table arg.")
  var arguments: [String] = []

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads must be at least 1, not \(threads)") }
    for folder in pluginPath {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
        throw ValidationError("--plugin-path: '\(folder)' is not a folder")
      }
    }
  }

  func run() throws {
    try Engine.setUp()
    if let threads { Engine.threads = threads }
    try ScriptEngine(script: script, pluginPaths: pluginPath).run(arguments: arguments)
  }
}

@main struct Main {
  static func main() {
    do {
      var command = try parse()
      Signals.install()
      do {
        try command.run()
      } catch  where !GraoRun.exitCode(for: error).isSuccess {
        fail(error)
      }
    } catch {
      // Help and the version were asked for, or the usage is wrong.
      let code = GraoRun.exitCode(for: error)
      let text = GraoRun.fullMessage(for: error) + "\n"
      FileHandle(fileDescriptor: code.isSuccess ? STDOUT_FILENO : STDERR_FILENO).write(Data(text.utf8))
      exit(code.isSuccess ? 0 : 2)
    }
  }

  /// A script may have any name, so the other commands are known by the first word alone.
  private static func parse() throws -> any ParsableCommand {
    let arguments = Array(CommandLine.arguments.dropFirst())
    let others: [any ParsableCommand.Type] = [InspectCommand.self, TokenizeCommand.self, OptionsCommand.self]
    for command in others where command.configuration.commandName == "grao-run " + (arguments.first ?? "") {
      return try command.parseAsRoot(Array(arguments.dropFirst()))
    }
    return try GraoRun.parseAsRoot()
  }

  /// Says what went wrong, with the place in the script, and ends with the contract's exit code.
  private static func fail(_ error: any Error) -> Never {
    if let code = error as? ExitCode { exit(code.rawValue) }
    var lines = "grao-run: \(error)\n"
    if let error = error as? LuaError, error.kind != .interrupted, !error.traceback.isEmpty {
      lines += error.traceback + "\n"
    }
    FileHandle(fileDescriptor: STDERR_FILENO).write(Data(lines.utf8))
    exit((error as? LuaError)?.kind == .interrupted ? 130 : 1)
  }
}

/// SIGINT and SIGTERM end the script at the next opportunity; a second one ends the process.
enum Signals {
  static func install() {
    for number in [SIGINT, SIGTERM] {
      signal(number) { _ in
        if Interruption.isRequested { _exit(130) }
        Interruption.request()
      }
    }
    // A file that outgrows its limit is an error of writing.
    signal(SIGXFSZ, SIG_IGN)
    // A parent may have started this with signals blocked, as threads of Dispatch do.
    var unblocked = sigset_t()
    sigemptyset(&unblocked)
    for number in [SIGINT, SIGTERM] { sigaddset(&unblocked, number) }
    pthread_sigmask(SIG_UNBLOCK, &unblocked, nil)
  }
}
