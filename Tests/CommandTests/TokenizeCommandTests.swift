import Foundation
import TestSupport
import Testing

/// grao-run tokenize.
extension CommandSuite {
  @Suite struct Tokenize {
    private static let tokenizer = Fixtures.root + "/scripts/arithmetic-tokenizer"
    private static let bytes = Fixtures.path("tokenizers/gpt2")

    /// A folder with the quickstart's tokenizer and a chat template.
    private static func place(
      template: String =
        "{% for m in messages %}{{ m.content }}{% if m.role == 'assistant' %}{{ eos_token }}{% else %}={% endif %}{% endfor %}"
    ) throws -> Workplace {
      let place = try Workplace()
      for file in ["tokenizer.json", "tokenizer_config.json"] {
        try FileManager.default.copyItem(atPath: tokenizer + "/" + file, toPath: place.path + "/" + file)
      }
      try place.write(template, to: "chat_template.jinja")
      return place
    }

    private static let question = #"{"role": "user", "content": "1+2"}"#
    private static let answer = #"{"role": "assistant", "content": "3"}"#

    @Test func idsAndPiecesOneALine() throws {
      let place = try Workplace()
      #expect(
        try place.run("tokenize", Self.tokenizer, "1+2=", "3").lines == ["6\t1", "15\t+", "7\t2", "19\t=", "8\t3"])
      #expect(try place.run("tokenize", Self.tokenizer, input: Data("1+2".utf8)).lines == ["6\t1", "15\t+", "7\t2"])
      #expect(try place.run("tokenize", Self.tokenizer, "").output == "\n")
      let colours = try place.run("tokenize", Self.tokenizer, "1+2=", environment: ["NO_COLOR": "1"], onTerminal: true)
      #expect(colours.lines == ["6\t1", "15\t+", "7\t2", "19\t="])
    }

    /// What a terminal would obey or not show is written out, in every mode.
    @Test(arguments: [false, true]) func nothingHidden(onTerminal: Bool) throws {
      let text = "a\tb\n\u{1B}[31mred\u{202E}\u{7F}\u{85}\u{2028}é\u{301}😀"
      let outcome = try Workplace().run("tokenize", Self.bytes, text, onTerminal: onTerminal)
      var shown = outcome.output
      for mark in ["⇥", "↵", "␛"] { #expect(shown.contains(mark), "\(mark)") }
      if onTerminal { shown = shown.replacing(/\u{1B}\[[0-9;]*m/, with: "") }
      #expect(!shown.unicodeScalars.contains { $0.properties.generalCategory == .control && $0 != "\n" && $0 != "\t" })
      #expect(!shown.unicodeScalars.contains { $0.properties.generalCategory == .format })
      // Parts of characters.
      #expect(shown.contains("<0x"))
    }

    @Test func inColourOnATerminal() throws {
      let outcome = try Workplace().run("tokenize", Self.tokenizer, "1+2=", onTerminal: true)
      #expect(outcome.code == 0 && outcome.errors == "")
      func styled(_ text: String, _ style: String) -> String { "\u{1B}[\(style)m\(text)\u{1B}[0m" }
      let (even, odd) = ("48;5;24;97", "48;5;60;97")
      #expect(
        outcome.lines == [
          styled("1", even) + styled("+", odd) + styled("2", even) + styled("=", odd),
          [("6", "38;5;110"), ("15", "38;5;146"), ("7", "38;5;110"), ("19", "38;5;146")].map(styled).joined(
            separator: " "),
          styled("4 tokens, 4 bytes of text", "2"),
        ])
    }

    @Test func whatIsTrainedOnIsMarked() throws {
      let place = try Self.place()
      try place.write("[\(Self.question), \(Self.answer)]", to: "chat.json")
      let outcome = try place.run("tokenize", ".", "--chat", "chat.json")
      #expect(outcome.code == 0 && outcome.errors == "")
      let marked = ["6\t-\t1", "15\t-\t+", "7\t-\t2", "19\t-\t=", "8\ttrained\t3", "1\ttrained\t<eos>"]
      #expect(outcome.lines == marked)
      #expect(try place.run("tokenize", ".", "--chat", "-", input: place.bytes("chat.json")).lines == marked)

      let shown = try place.run("tokenize", ".", "--chat", "chat.json", onTerminal: true)
      // Green and underlined; the prompt is not.
      #expect(shown.output.contains("\u{1B}[48;5;28;97;4m3\u{1B}[0m\u{1B}[48;5;22;97;4;1m<eos>\u{1B}[0m"))
      #expect(shown.output.contains("\u{1B}[48;5;24;97m1\u{1B}[0m"))
      #expect(shown.output.contains("6 tokens, 2 trained on (green, underlined), 5 bytes of text"))

      // All of the assistant's turns.
      try place.write("[\(Self.question), \(Self.answer), \(Self.question), \(Self.answer)]", to: "chat.json")
      let marks = try place.run("tokenize", ".", "--chat", "chat.json").lines.map { $0.split(separator: "\t")[1] }
      #expect(marks == ["-", "-", "-", "-", "trained", "trained", "-", "-", "-", "-", "trained", "trained"])
      // The assistant's turn is to come.
      try place.write("{\"messages\": [\(Self.question)], \"tools\": [], \"x\": 1}", to: "chat.json")
      #expect(try place.run("tokenize", ".", "--chat", "chat.json").lines == Array(marked.prefix(4)))
      // A dataset's row.
      try place.write("{\"prompt\": [\(Self.question)], \"chosen\": \"3\", \"rejected\": \"4\"}", to: "row.json")
      #expect(try place.run("tokenize", ".", "--chat", "row.json").lines == marked)
    }

    /// Where a template rewrites earlier turns, only the last is trained on in that row.
    @Test func aTemplateThatRewritesTheBeginning() throws {
      let place = try Self.place(
        template:
          "{{ messages|length }}={% for m in messages %}{{ m.content }}{% endfor %}{% if not add_generation_prompt %}"
          + "{{ eos_token }}{% endif %}")
      try place.write("[\(Self.question), \(Self.answer), \(Self.question), \(Self.answer)]", to: "chat.json")
      let outcome = try place.run("tokenize", ".", "--chat", "chat.json")
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(outcome.lines.filter { $0.contains("trained") } == ["8\ttrained\t3", "1\ttrained\t<eos>"])
    }

    @Test func mistakesAreToldInOneLine() throws {
      let place = try Self.place()
      func error(_ chat: String) throws -> String {
        try place.write(chat, to: "chat.json")
        let outcome = try place.run("tokenize", ".", "--chat", "chat.json")
        #expect(outcome.code == 1 && outcome.output == "")
        #expect(outcome.errors.split(separator: "\n").count == 1)
        return outcome.errors
      }
      let expected =
        "grao-run: chat.json: expected an array of chat messages, or an object with 'messages' or with 'prompt'\n"
      for chat in ["{}", "[]", "5", "\"x\"", "[1, 2]", "{\"messages\": []}", "null"] {
        #expect(try error(chat) == expected, "\(chat)")
      }
      #expect(try error("[{").hasPrefix("grao-run: chat.json: line 1: "))
      #expect(
        try error("[{\"content\": \"a\"}]") == "grao-run: chat.json: message 1 must be a table with a string 'role'\n")
      #expect(
        try error("{\"messages\": [\(Self.question)], \"tools\": 5}")
          == "grao-run: chat.json: 'tools' must be an array, not an integer\n")
      #expect(
        try error("{\"prompt\": \"a\"}") == "grao-run: chat.json: column 'prompt' must hold chat messages\n")
      try place.write("{{ raise_exception('Roles must alternate') }}", to: "chat_template.jinja")
      #expect(try error("[\(Self.question)]") == "grao-run: Roles must alternate\n")
      try place.write("{% if %}", to: "chat_template.jinja")
      #expect(
        try error("[\(Self.question)]").hasPrefix("grao-run: ./tokenizer.json: chat template:1: expected an expression")
      )

      let missing = try place.run("tokenize", "none", "1")
      #expect(missing.code == 1 && missing.errors == "grao-run: none: there is no such file or directory\n")
      let file = try place.run("tokenize", ".", "--chat", "none.json")
      #expect(file.code == 1 && file.errors == "grao-run: none.json: no such file, or not readable\n")
      let usage = try place.run("tokenize")
      #expect(usage.code == 2 && usage.errors.hasPrefix("Error: Missing expected argument '<model>'"))
      #expect(try place.run("tokenize", ".", "1", "--chat", "chat.json").code == 2)
      let latin = try place.run("tokenize", ".", input: Data([0xE9, 0x0A]))
      #expect(latin.code == 1 && latin.errors == "grao-run: standard input is not UTF-8 text\n")
    }
  }
}
