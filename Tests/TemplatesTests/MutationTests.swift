import Templates
import Testing
import Values

/// Damaged templates: errors or text, never a crash or a hang.
@Suite struct MutationTests {
  @Test func mutationsOfPublishedTemplatesAreRenderedOrRefused() throws {
    var random = RandomStream(seed: 5)
    let fixture = try Fixtures.json("chats.json")
    let chat = try #require(fixture["chats"]?["tool call, answered"])
    let messages = try #require(chat["messages"]?.array)
    let tools = try #require(chat["options"]?["tools"]?.array)
    let pieces = [
      "{{", "}}", "{%", "%}", "-", "(", ")", "[", "]", "|", "~", "not ", " is ", "0", "'", "\\", "é", "\n", "endif",
      "loop", "*", ".",
    ]
    var rendered = 0
    var refused = 0
    for name in Fixtures.published {
      let source = Array(try Fixtures.source(name).unicodeScalars)
      for _ in 0..<60 {
        var mutated = source
        for _ in 0..<(1 + random.integer(below: 3)) {
          let place = random.integer(below: mutated.count)
          switch random.integer(below: 3) {
          case 0: mutated.removeSubrange(place..<min(mutated.count, place + 1 + random.integer(below: 8)))
          case 1: mutated.insert(contentsOf: pieces[random.integer(below: pieces.count)].unicodeScalars, at: place)
          default:
            let start = random.integer(below: mutated.count)
            let end = min(mutated.count, start + 1 + random.integer(below: 40))
            mutated.insert(contentsOf: mutated[start..<end], at: place)
          }
          if mutated.isEmpty { mutated = source }
        }
        do {
          let template = try Template(String(String.UnicodeScalarView(mutated)), name: name)
          _ = try template.renderChat(messages: messages, tools: tools, addGenerationPrompt: true, now: Fixtures.now)
          rendered += 1
        } catch {
          refused += 1
        }
      }
    }
    #expect(rendered > 100 && refused > 100)
  }
}
