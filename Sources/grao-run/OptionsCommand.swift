import ArgumentParser
import GRAO
import Scripting

/// Prints the reference of options.
struct OptionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "grao-run options",
    abstract: "Every option of grao.train and grao.evaluate: type, range, default and what it does.",
    discussion: """
      The page is made of the declarations that the engine checks scripts with. It is Markdown:

        grao-run options > options.md
      """)

  func run() throws { print(OptionReference.page, terminator: "") }
}
