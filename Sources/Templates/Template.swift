import Foundation
import Values

/// A compiled Jinja template, as transformers' chat templates use it.
///
/// The language is Jinja's as transformers sets it up: blocks are trimmed and stripped, values are never escaped for
/// HTML, objects cannot be changed, loops have `break` and `continue`, `{% generation %}` marks what the assistant
/// says, and there are `tojson`, `raise_exception` and `strftime_now`. Tags that bring in other templates are refused.
public struct Template: Sendable {
  let source: String
  private let name: String
  private let program: Program

  /// The statements never change once they are parsed.
  private final class Program: @unchecked Sendable {
    let statements: [Statement]
    init(_ statements: [Statement]) { self.statements = statements }
  }

  /// - Parameter name: stands before the line in error messages: "NAME:LINE: …".
  public init(_ source: String, name: String) throws(GRAOError) {
    self.source = source
    self.name = name
    do {
      var parser = Parser(try Lexer.tokens(of: source))
      program = Program(try parser.template())
    } catch {
      throw Self.report(error, name: name, line: 1)
    }
  }

  /// The rendered text. Throws the message of the template's own `raise_exception` as it stands, and other errors with
  /// name and line.
  /// - Parameter now: what `strftime_now` tells.
  public func render(_ variables: Table, now: Date = Date()) throws(GRAOError) -> String {
    try renderMarkingGeneration(variables, now: now).text
  }

  /// The rendered text, and the ranges of its UTF-8 bytes that come from `{% generation %}` blocks.
  public func renderMarkingGeneration(
    _ variables: Table, now: Date = Date()
  ) throws(GRAOError) -> (text: String, generated: [Range<Int>]) {
    let renderer = Renderer(now: now)
    do {
      try renderer.run(program.statements, variables)
      return (renderer.output, renderer.generated)
    } catch {
      throw Self.report(error, name: name, line: renderer.line)
    }
  }

  private static func report(_ error: any Error, name: String, line: Int) -> GRAOError {
    switch error {
    case let raised as RaisedException: GRAOError(raised.message)
    case let failure as TemplateFailure: GRAOError("\(name):\(failure.line ?? line): \(failure.message)")
    default: GRAOError("\(name):\(line): \(error)")
    }
  }
}
