import ArgumentParser
import Foundation
import GRAO

/// `grao-run tokenize MODEL [TEXT…]`.
struct TokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "grao-run tokenize",
    abstract: "Shows the token ids and pieces of texts, or of a conversation as the model's chat template writes it.",
    discussion: """
      Each text is an argument; without one, standard input is read, every byte of it. On a terminal the pieces are \
      coloured, with the ids below; otherwise, and where NO_COLOR is set, there is one token a line: id, mark, piece. \
      ↵ is the end of a line, ⇥ a tab.

      With --chat, the file holds an array of messages, or an object with "messages" and further variables of the \
      template (tools, documents, …). Where the last message is the assistant's, what training acts on is marked: its \
      turns, each with the token that ends it. Otherwise the assistant's turn is begun. A dataset's row will do as \
      well: an object with "prompt" and "reference", "chosen" or "rejected".
      """)

  @Argument(help: "A Hugging Face model directory or a .gguf file.")
  var model: String

  @Argument(help: "Texts to encode, with special tokens as the model expects them.")
  var texts: [String] = []

  @Option(help: ArgumentHelp("A JSON file with chat messages; - is standard input.", valueName: "file.json"))
  var chat: String?

  @Flag(help: "Encode texts without special tokens around them.")
  var plain = false

  func validate() throws {
    if chat != nil, !texts.isEmpty { throw ValidationError("--chat takes the place of texts: give one of them") }
  }

  func run() throws {
    let tokenizer = try Tokenizer.load(path: model)
    let refusesColour = ProcessInfo.processInfo.environment["NO_COLOR"].map { !$0.isEmpty } ?? false
    let display = TokenDisplay(tokenizer: tokenizer, coloured: isatty(STDOUT_FILENO) == 1 && !refusesColour)
    if let chat {
      let source = chat == "-" ? "standard input" : chat
      let (ids, trained) = try tokenizer.encode(chat: JSON.parse(Self.bytes(chat), source: source), source: source)
      return print(display.text(ids, trained: trained))
    }
    for text in texts.isEmpty ? [try Self.standardInput()] : texts {
      print(display.text(try tokenizer.encode(text, addSpecialTokens: !plain), trained: nil))
    }
  }

  private static func bytes(_ chat: String) throws -> [UInt8] {
    if chat == "-" { return Array(try standardInput().utf8) }
    guard let data = FileManager.default.contents(atPath: chat) else {
      throw GRAOError("\(chat): no such file, or not readable")
    }
    return Array(data)
  }

  private static func standardInput() throws -> String {
    if isatty(STDIN_FILENO) == 1 {
      FileHandle.standardError.write(Data("Type a text, and Ctrl-D on a line of its own to end it.\n".utf8))
    }
    let data = FileHandle.standardInput.readDataToEndOfFile()
    guard let text = String(validating: data, as: UTF8.self) else {
      throw GRAOError("standard input is not UTF-8 text")
    }
    return text
  }
}
