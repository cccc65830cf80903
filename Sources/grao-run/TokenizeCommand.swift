import ArgumentParser
import Foundation
import GRAO

/// `grao-run tokenize MODEL [TEXT…]`.
struct TokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "grao-run tokenize",
    abstract: "Shows the token ids and pieces of texts, or of a conversation as the model's chat template writes it.",
    discussion: """
      Each text is an argument; without one, standard input is read. On a terminal the pieces are coloured; otherwise \
      there is one token a line: id, mark, piece.

      With --chat, the file holds an array of messages, or an object with "messages" and further variables of the \
      template (tools, documents, …). Where the last message is the assistant's, its tokens are marked: those that \
      training acts on when the message is the row's reference. Otherwise the assistant's turn is begun.
      """)

  @Argument(help: "A Hugging Face model directory or a .gguf file.")
  var model: String

  @Argument(help: "Texts to encode, with special tokens as the model expects them.")
  var texts: [String] = []

  @Option(help: ArgumentHelp("A JSON file with chat messages.", valueName: "file.json"))
  var chat: String?

  @Flag(help: "Encode texts without special tokens around them.")
  var plain = false

  func validate() throws {
    if chat != nil, !texts.isEmpty { throw ValidationError("--chat takes the place of texts: give one of them") }
  }

  func run() throws {
    let tokenizer = try Tokenizer.load(path: model)
    let display = TokenDisplay(tokenizer: tokenizer, coloured: isatty(STDOUT_FILENO) == 1)
    if let chat {
      guard let data = FileManager.default.contents(atPath: chat) else {
        throw GRAOError("\(chat): no such file, or not readable")
      }
      let (ids, mask) = try tokenizer.encode(chat: JSON.parse(Array(data), source: chat), source: chat)
      return print(display.text(ids, trained: mask))
    }
    for text in texts.isEmpty ? [Self.standardInput()] : texts {
      print(display.text(try tokenizer.encode(text, addSpecialTokens: !plain), trained: nil))
    }
  }

  private static func standardInput() -> String {
    String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)
  }
}
