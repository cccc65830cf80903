import Foundation
import Templates
import Testing
import Values

/// What a template may not cost, whatever it says.
@Suite struct LimitTests {
  /// Templates that would take for ever, or all memory, and a word of the error that stops each.
  static let hostile: [(String, String)] = [
    ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "steps"),
    ("{% set s = 'ab' * 9999999 %}{% for a in range(99999) %}{{ s[a] }}{% endfor %}", "steps"),
    ("{% set s = 'a' * 9999999 %}{% for a in range(99999) %}{{ ('a' * 99999 ~ 'b') in s }}{% endfor %}", "steps"),
    ("{% set s = 'a' * 9999999 %}{% for a in range(99999) %}{{ {s: 1}[s] }}{% endfor %}", "steps"),
    ("{% set ns = namespace(s='x') %}{% for a in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}", "bytes"),
    ("{% set ns = namespace(s='x') %}{% for a in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", "bytes"),
    ("{{ 'x' * 99999999999 }}", "repetition"),
    ("{{ [1] * 99999999999 }}", "repetition"),
    ("{{ ('x' * 99999).replace('', 'y' * 99999) }}", "bytes"),
    ("{{ '%999999999999s' % 1 }}", "width"),
    ("{{ '{:999999999999}'.format(1) }}", "width"),
    ("{{ 'x'.center(999999999999) }}", "bytes"),
    ("{{ 'x'|center(9223372036854775807) }}", "bytes"),
    ("{{ 'x\\ny'|indent(999999999999) }}", "bytes"),
    ("{{ [[]]|tojson(indent=9223372036854775807) }}", "bytes"),
    ("{{ range(1000000) }}", "numbers"),
    ("{{ 2 ** 64 }}", "large"),
    ("{{ 9223372036854775807 + 1 }}", "large"),
    ("{{ -(-9223372036854775807 - 1) }}", "large"),
    ("{{ (-9223372036854775807 - 1) // -1 }}", "large"),
    ("{{ 99999999999999999999 }}", "large"),
    ("{{ 1e300|int }}", "large"),
    ("{{ -1e300|filesizeformat }}", "large"),
    ("{{ 10.0 ** 400 }}", "large"),
    ("{{ '%*d' % (-9223372036854775807 - 1, 1) }}", "bytes"),
    ("{{ '%.*d' % (9223372036854775807, 1) }}", "bytes"),
    ("{{ '%.*f' % (9223372036854775807, 1) }}", "digits"),
    ("{{ range(0, 9223372036854775807, 4611686018427387904)[:2] }}", "large"),
    ("{{ range(-9223372036854775807 - 1, 9223372036854775807, 9223372036854775807)[::2] }}", "large"),
    ("{{ range(9223372036854775807, 0, -9223372036854775807)[:1] }}", "large"),
    ("{{ [1]|slice(9223372036854775807) }}", "steps"),
    ("{% for a in range(99999) %}{% set x = [1]|batch(999999, 0) %}{% endfor %}", "steps"),
    ("{% for a in range(99999) %}{% set x = '%999999d' % 1 %}{% endfor %}", "steps"),
    ("{% set s = 'a' * 9999999 %}{% for a in range(99999) %}{% set x = '%.1s' % s %}{% endfor %}", "steps"),
    ("{% for a in range(99999) %}{% set x = 1|tojson(indent=9999999) %}{% endfor %}", "steps"),
    ("{% set t = ((0,) * 999999,) %}{% for a in range(99999) %}{% set x = {}[t] %}{% endfor %}", "steps"),
    ("{% set t = ('a',) * 999999 %}{% for a in range(99999) %}{% set x = ''.startswith(t) %}{% endfor %}", "steps"),
    ("{% macro m() %}{{ kwargs }}{% endmacro %}{{ m(**dict.fromkeys(range(99999)|map('string'))) }}", "steps"),
    ("{% for c in 'x' * 9999999 %}{% endfor %}", "elements"),
    ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "deep"),
    ("{% macro m(n) %}{{ n }}{% call m(n + 1) %}{{ caller }}{% endcall %}{% endmacro %}{{ m(0) }}", "deep"),
    ("{% set ns = namespace(a=[]) %}{% for i in range(9999) %}{% set ns.a = [ns.a] %}{% endfor %}", "deep"),
    ("{% set ns = namespace(a={}) %}{% for i in range(9999) %}{% set ns.a = {1: ns.a} %}{% endfor %}", "deep"),
    ("{% set ns = namespace(a=[]) %}{% for i in range(99) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}", "elements"),
    ("{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}", "deep"),
    ("{{ " + String(repeating: "(", count: 9999) + "1" + String(repeating: ")", count: 9999) + " }}", "deep"),
    ("{{ " + String(repeating: "-", count: 9999) + "1 }}", "deep"),
    ("{{ " + String(repeating: "not ", count: 9999) + "1 }}", "deep"),
    ("{{ 1" + String(repeating: " + 1", count: 9999) + " }}", "deep"),
    ("{{ a" + String(repeating: ".b", count: 9999) + " }}", "deep"),
    ("{{ a" + String(repeating: "|upper", count: 9999) + " }}", "deep"),
    ("{{ 1" + String(repeating: " if 1 else 1", count: 9999) + " }}", "deep"),
    (String(repeating: "{% if 1 %}", count: 9999), "deep"),
    ("{% set " + String(repeating: "(", count: 9999) + "x" + String(repeating: ")", count: 9999) + " = 1 %}", "deep"),
  ]

  @Test(arguments: hostile) func hostileTemplatesEndWithAnError(_ source: String, _ word: String) {
    #expect {
      try Template(source, name: "t").render([:])
    } throws: {
      "\($0)".hasPrefix("t:1: ") && "\($0)".contains(word)
    }
  }

  /// Numbers at the ends of their range, with what Python makes of them.
  @Test(arguments: [
    ("{{ '%.*s' % (-1, 'abc') }}", ""),
    ("{{ '%.*f %.*d %*d|' % (-3, 1.5, -2, 7, -5, 1) }}", "2 7 1    |"),
    ("{{ '%.*e' % (-9223372036854775807 - 1, 2.0) }}", "2e+00"),
    ("{{ 'xy'|center(-9223372036854775807) }}", "xy"),
    ("{{ 'xy'.center(-9223372036854775807 - 1) }}", "xy"),
    ("{{ 'xy'.ljust(-9223372036854775807 - 1) }}", "xy"),
    ("{{ 'xy'.rjust(-9223372036854775807 - 1) }}", "xy"),
    ("{{ '-1'.zfill(-9223372036854775807 - 1) }}", "-1"),
    ("{{ 'a\tb'.expandtabs(-9223372036854775807 - 1) }}", "ab"),
    ("{{ 'abc'[::9223372036854775807] }}", "a"),
    ("{{ 'abc'[::-9223372036854775807 - 1] }}", "c"),
    ("{{ 'abc'[-9223372036854775807 - 1:9223372036854775807] }}", "abc"),
    ("{{ 'abc'.find('b', -9223372036854775807 - 1, 9223372036854775807) }}", "1"),
    ("{{ 'aba'.replace('a', '', -9223372036854775807 - 1) }}", "b"),
    ("{{ 'a b c'.split(' ', 9223372036854775807)|length }}", "3"),
    ("{{ [1, 2][-9223372036854775807 - 1] }}", ""),
    ("{{ [1, 2].index(2, -9223372036854775807 - 1, 9223372036854775807) }}", "1"),
    ("{{ range(0, 9223372036854775807, 4611686018427387904)|list }}", "[0, 4611686018427387904]"),
    ("{{ [1, 2, 3]|batch(-9223372036854775807 - 1)|list }}", "[[1, 2, 3]]"),
    ("{{ [1, 2, 3]|slice(-9223372036854775807 - 1)|list }}", "[]"),
    ("{{ 'a b'|truncate(9223372036854775807) }}", "a b"),
    ("{{ 'a b'|wordwrap(9223372036854775807) }}", "a b"),
    ("{{ 'a'|indent(-9223372036854775807 - 1) }}", "a"),
    ("{{ 7|round(-9223372036854775807 - 1) }} {{ 2.5|round(9223372036854775807) }}", "0 2.5"),
    ("{{ (-9223372036854775807 - 1) % -1 }}", "0"),
    ("{{ '%d %x' % (-9223372036854775807 - 1, 9223372036854775807) }}", "-9223372036854775808 7fffffffffffffff"),
  ]) func extremeNumbersDoNoHarm(_ source: String, _ text: String) throws {
    #expect(try Template(source, name: "t").render([:]) == text)
  }

  /// What grows with the square of its size where it is done by looking through.
  @Test func manyNamesCostLittle() throws {
    let views =
      "{% set a = dict.fromkeys(range(99999)) %}{% set b = dict.fromkeys(range(99999)|reverse) %}"
      + "{{ a.keys() == b.keys() }} {{ a.items() == b.items() }} {{ a.keys() == dict.fromkeys([1]).keys() }} "
      + "{{ {1: 2, 3: 4}.items() == {3: 4, 1: 5}.items() }}"
    #expect(try Template(views, name: "t").render([:]) == "True True False False")
    let numbers = 0..<40_000
    let variables = numbers.map { "{% set a\($0) = \($0) %}" }.joined()
    #expect(
      try Template(variables + "{{ a0 }} {{ a15 }} {{ a16 }} {{ a39999 }}", name: "t").render([:]) == "0 15 16 39999")
    let arguments = numbers.map { "a\($0)=0" }.joined(separator: ",")
    #expect(try Template("{{ dict(\(arguments))|length }}", name: "t").render([:]) == "40000")
    #expect(
      try Template("{% macro m(\(arguments)) %}{{ a39999 }}{% endmacro %}{{ m(1) }}", name: "t").render([:]) == "0")
  }

  /// Long chains and circles of objects are let go of without recursion.
  @Test(arguments: [
    "{% set ns = namespace(a=0) %}{% for i in range(99999) %}{% set n = namespace(b=ns.a) %}{% set ns.a = n %}{% endfor %}",
    "{% set ns = namespace(a=0) %}{% set ns.a = ns %}{% set ns.b = [ns] %}",
    "{% macro make(x) %}{% macro inner() %}{{ x }}{% endmacro %}{% set ns.a = inner %}{% endmacro %}"
      + "{% set ns = namespace(a=0) %}{% for i in range(9999) %}{% set _ = make(ns.a) %}{% endfor %}",
    "{% set ns = namespace(a=0) %}{% for i in range(9999) %}{% for j in [1] %}{% set _ = loop.changed(ns.a) %}"
      + "{% set ns.a = loop %}{% endfor %}{% endfor %}",
  ]) func chainsOfObjectsAreReleased(_ source: String) throws {
    #expect(try Template(source, name: "t").render([:]) == "")
  }

  @Test func recursionThatTemplatesNeedIsAllowed() throws {
    let source =
      "{% macro m(n) %}{% if n > 0 %}{% for i in [n] %}{{ i }} {{ m(n - 1) }}{% endfor %}{% endif %}{% endmacro %}{{ m(40) }}"
    #expect(try Template(source, name: "t").render([:]).hasPrefix("40 39 38 "))
  }

  private static let deepSources: [String] = {
    let open = String(repeating: "[", count: 50)
    let close = String(repeating: "]", count: 50)
    // A list as deep as lists may be, printed under calls that leave little of the depth of evaluation.
    let list =
      "{% set ns = namespace(a=[], b=[]) %}{% for i in range(198) %}{% set ns.a = [ns.a] %}{% set ns.b = [ns.b] %}{% endfor %}"
    return ["{% macro m() %}{{ \(open)m()\(close) }}{% endmacro %}{{ m() }}"]
      + ["{{ ns.a|tojson }}", "{{ ns.a|pprint }}", "{{ ns.a|string }}", "{{ 'many levels deep' if ns.a == ns.b }}"].map
    {
      list + "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{% else %}\($0){% endif %}{% endmacro %}{{ m(65) }}"
    }
  }()

  /// The deepest evaluation fits the stack of a secondary thread (512 KB on Apple's systems).
  @Test(arguments: deepSources) func deepEvaluationFitsASmallStack(_ source: String) async throws {
    let message = await withCheckedContinuation { continuation in
      let thread = Thread {
        do {
          continuation.resume(returning: try Template(source, name: "t").render([:]))
        } catch {
          continuation.resume(returning: "\(error)")
        }
      }
      #if DEBUG
        // Without optimization frames are several times as large.
        thread.stackSize = 8 << 20
      #else
        thread.stackSize = 512 << 10
      #endif
      thread.start()
    }
    #expect(message.contains("levels deep"))
  }

  @Test func aLongConversationRendersInMilliseconds() throws {
    let turn: [Value] = [["role": "user", "content": "What is it?"], ["role": "assistant", "content": "It is this."]]
    let messages = Array(repeatElement(turn, count: 50).joined())
    let template = try Template(try Fixtures.source("qwen3"), name: "qwen3")
    var best = Duration.seconds(1)
    for _ in 0..<10 {
      best = min(best, try ContinuousClock().measure { _ = try template.renderChat(messages: messages) })
    }
    // About one millisecond on an idle machine.
    #expect(best < .milliseconds(20), "\(best)")
  }
}
