import Foundation
import Templates
import Testing
import Values

@Suite struct TemplateTests {
  private func message(_ source: String, _ variables: Table = Table()) -> String {
    do {
      return "gave " + (try Template(source, name: "chat").render(variables))
    } catch {
      return error.message
    }
  }

  @Test(arguments: [
    ("a\n{% if x %}\nb", "chat:3: expected '{% endif %}', found the end of the template"),
    ("\n\n{{ 1 + }}", "chat:3: expected an expression, found '}}'"),
    ("a\n{{ x.y }}", "chat:2: 'x' is undefined"),
    ("{% include 'a' %}", "chat:1: the tag 'include' is not supported in chat templates"),
    ("{% frob %}", "chat:1: unknown tag 'frob'"),
    ("a\n{{ 'x' | frob }}", "chat:2: there is no filter 'frob'"),
    ("\n{{ [1].append(2) }}", "chat:2: 'append' would change a list, which a template may not"),
    ("{% for x in [1] recursive %}{% endfor %}", "chat:1: recursive loops are not supported in chat templates"),
    ("{{ 'a\nb", "chat:1: a string is not closed"), ("{# a", "chat:1: a comment is not closed"),
    ("{{ 1 / 0 }}", "chat:1: division by zero"), ("{{ 2 ** 64 }}", "chat:1: an integer is too large"),
    ("{{ -9223372036854775807 - 2 }}", "chat:1: an integer is too large"),
    ("{{ raise_exception('my own words') }}", "my own words"),
  ])
  func errorsHaveTheirLine(_ source: String, _ expected: String) {
    #expect(message(source) == expected)
  }

  /// Nothing that a template does takes long or goes deep.
  @Test(arguments: [
    ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "calls are nested too deep"),
    ("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", "the template takes too long"),
    ("{{ 'x' * 99999999 }}", "a repetition is too long"), ("{{ range(99999999) | length }}", "range is too long"),
    (
      "{% set x = 'abcdefgh' * 1000000 %}{% for i in range(100) %}{{ x }}{% endfor %}", "the template writes too much"
    ),
    (
      "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
      "a string is too long"
    ),
  ])
  func bounds(_ source: String, _ expected: String) {
    #expect(message(source) == "chat:1: \(expected)")
  }

  @Test func deepNestingIsAnError() {
    let source = "{{ " + String(repeating: "(", count: 10_000) + "1" + String(repeating: ")", count: 10_000) + " }}"
    #expect(message(source) == "chat:1: the template is nested too deep")
  }

  @Test func generationBlocksAreMarked() throws {
    let source = "{% for m in messages %}<{{ m.r }}>{% generation %}{{ m.c }}é{% endgeneration %}\n{% endfor %}"
    let messages: Value = [["r": "a", "c": "xy"], ["r": "b", "c": "z"]]
    let (text, generated) = try Template(source, name: "chat").renderMarkingGeneration(["messages": messages])
    #expect(text == "<a>xyé<b>zé")
    #expect(generated == [3..<7, 10..<13])
  }

  /// Whatever is cut out of a template or doubled in it, compiling and rendering it ends, with text or an error.
  @Test func mutationsNeverCrash() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/templates/published")
    let messages: [Value] = [["role": "user", "content": "a"], ["role": "assistant", "content": "b"]]
    var stream = RandomStream(seed: 7)
    var (rendered, refused) = (0, 0)
    for name in ["llama-3.1", "qwen3", "gpt-oss", "mistral-nemo"] {
      let source = try String(contentsOf: folder.appending(path: "\(name).jinja"), encoding: .utf8)
      let bytes = Array(source.utf8)
      for _ in 0..<150 {
        var mutated = bytes
        for _ in 0...Int(stream.uniform() * 3) {
          let start = Int(stream.uniform() * Double(mutated.count))
          let end = min(start + 1 + Int(stream.uniform() * 12), mutated.count)
          if stream.uniform() < 0.5 {
            mutated.removeSubrange(start..<end)
          } else {
            mutated.insert(contentsOf: mutated[start..<end], at: Int(stream.uniform() * Double(mutated.count)))
          }
        }
        do {
          _ = try Template(String(decoding: mutated, as: UTF8.self), name: name).renderChat(messages: messages)
          rendered += 1
        } catch {
          refused += 1
        }
      }
    }
    #expect(rendered > 50 && refused > 50)
  }
}
