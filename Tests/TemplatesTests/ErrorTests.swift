import Templates
import Testing
import Values

/// What errors say, and on which line.
@Suite struct ErrorTests {
  static let messages: [(String, String)] = [
    ("a\n{% if x %}", "t:2: expected 'elif' or 'else' or 'endif' before the end of the template"),
    ("a\n\n{{ 1 + }}", "t:3: expected an expression, found '}}'"),
    ("{% include 'x' %}", "t:1: 'include' is not supported in chat templates"),
    ("\n{% extends 'x' %}", "t:2: 'extends' is not supported in chat templates"),
    ("{% import 'x' as y %}", "t:1: 'import' is not supported in chat templates"),
    ("{% block x %}{% endblock %}", "t:1: 'block' is not supported in chat templates"),
    ("{% for x in [1] %}\n{{ loop([]) }}{% endfor %}", "t:2: only a loop with the mark 'recursive' can be called"),
    ("{{ [1, 2]|random }}", "t:1: random: a choice among several is not supported in chat templates"),
    ("{{ '&there4;'|striptags }}", "t:1: striptags: the entity '&there4;' is not supported in chat templates"),
    ("{% frobnicate %}", "t:1: unknown tag 'frobnicate'"),
    ("{{ 'a'|frobnicate }}", "t:1: there is no filter 'frobnicate'"),
    ("\n\n{{ x.y }}", "t:3: 'x' is undefined"),
    ("{% set d = {} %}\n{{ d.a.b }}", "t:2: 'dict object' has no attribute 'a'"),
    ("{% set a = [] %}{{ a.append(1) }}", "t:1: access to attribute 'append' of 'list' object is unsafe"),
    ("{{ 'a'\n + 1 }}", "t:2: unsupported operand types for +: 'str' and 'int'"),
    ("{% macro m() %}\n{{ x.y }}\n{% endmacro %}\n{{ m() }}", "t:2: 'x' is undefined"),
    ("{{ raise_exception('No: ' ~ 1) }}", "No: 1"),
  ]

  @Test(arguments: messages) func errorsNameTheLine(_ source: String, _ message: String) {
    #expect {
      try Template(source, name: "t").render([:])
    } throws: {
      "\($0)" == message
    }
  }

  @Test func conversationErrorsSayWhatIsWrong() throws {
    let template = try Template("{% for m in messages %}{{ m.content }}{% endfor %}", name: "t")
    func message(_ body: () throws -> String) -> String {
      do { return try body() } catch { return "\(error)" }
    }
    #expect(
      message { try template.renderChat(messages: ["hi"]) } == "message 1 must be a table, not a string")
    #expect(
      message { try template.renderChat(messages: [], continueFinalMessage: "content") }
        == "no final message to continue: there are no messages")
    #expect(
      message {
        try template.renderChat(messages: [["role": "user"]], continueFinalMessage: "content")
      } == "the final message has no 'content' to continue")
    #expect(
      message {
        try template.renderChat(messages: [["thinking": "x"]], continueFinalMessage: "thinking")
      } == "'thinking' cannot be continued: the template does not use it")
  }
}
