import ArgumentParser
import GRAO

/// `grao-run inspect MODEL`.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "grao-run inspect",
    abstract: "Says what a model directory or GGUF file holds, and what of it the engine does not support.",
    discussion: "Reads no weights. Exit code 1 where the model cannot be loaded.")

  @Argument(help: "A Hugging Face model directory or a .gguf file.")
  var model: String

  func run() throws {
    let inspection = try Inspection(model)
    let width = inspection.facts.map(\.name.count).max() ?? 0
    for (name, value) in inspection.facts {
      print(name + String(repeating: " ", count: width - name.count + 2) + value)
    }
    for problem in inspection.problems { print("unsupported: \(problem)") }
    if !inspection.problems.isEmpty { throw ExitCode(1) }
  }
}
