import Scripting
import Testing
import Values

/// The sandbox has its own pattern matching; Lua's own says what is right.
@Suite struct PatternTests {
  /// What string functions give for a subject and a pattern, as text.
  static let probe = """
    local subject, pattern = ...
    local out = {}
    local function add(...)
      local values = table.pack(...)
      for i = 1, values.n do values[i] = tostring(values[i]) end
      out[#out + 1] = table.concat(values, ',')
    end
    add(pcall(string.find, subject, pattern))
    add(pcall(string.find, subject, pattern, -3))
    add(pcall(string.find, subject, pattern, 2, true))
    add(pcall(string.match, subject, pattern, 2))
    add(pcall(string.gsub, subject, pattern, '<%0>'))
    add(pcall(string.gsub, subject, pattern, '%1%%', 2))
    add(pcall(string.gsub, subject, pattern, { a = 1, b = false, [1] = 'one' }))
    add(pcall(string.gsub, subject, pattern, function(x, y) return y or x and #tostring(x) end))
    add(pcall(function()
      local n = 0
      for x, y in subject:gmatch(pattern) do
        n = n + 1
        add(x, y)
        if n > 50 then break end
      end
    end))
    return table.concat(out, ' ')
    """

  func compare(_ subject: String, _ pattern: String, _ stock: LuaFunction, _ ours: LuaFunction) throws {
    let arguments: [Value] = [.string(subject), .string(pattern)]
    #expect(try ours.call(arguments) == stock.call(arguments), "subject \(subject), pattern \(pattern)")
  }

  @Test func knownPatternsMatchAsInLua() throws {
    let (plain, bounded) = (try LuaState(), try sandbox())
    let stock = try plain.load(Self.probe.utf8, name: "probe")
    let ours = try bounded.load(Self.probe.utf8, name: "probe")
    let patterns = [
      "", "a", ".", "%a+", "^%s*(.-)%s*$", "(%w+)%s*=%s*(%w+)", "()", "()a()", "%d*%.?%d+", "[^%s,]+", "[a-c]", "[]]",
      "[^]]", "[]-a]", "[a-]", "[%a-z]", "[%]x]", "%b()", "%bxx", "%f[%w]%w+", "%f[%W]", "(a)(b)%2%1", "(.)%1", "a-b",
      "a?b?c?",
      "^a", "a$", "^$", "$a", "a^b", "%%", "%.", "(a*(.)%w(%s*))", "[%d%.]+", "%u%l*", "%x+", "%p", "%c", "%g+", "%S+",
      "%W", "[%w_]+", "((a)(b))", "a.-c", "a.*c", "(()a())", "\u{0}", "[\u{1}-\u{7F}]+", "é", "x*", ".-", "%z",
    ]
    let subjects = [
      "", "a", "abc", "hello world", "key = value, k2=v2", "(a(b)c)(d", "THE (quick) fox", "aabbcc", "  trim me  ",
      "a.b.c",
      "1,234.5 and -6", "]x-]", "xx yy", "a\u{0}b", "žluťoučký kůň", "abab ba aa", "a^b$", "%", "line\nline", "a]b[c",
    ]
    for subject in subjects { for pattern in patterns { try compare(subject, pattern, stock, ours) } }
  }

  @Test func randomPatternsMatchAsInLua() throws {
    let (plain, bounded) = (try LuaState(), try sandbox())
    let stock = try plain.load(Self.probe.utf8, name: "probe")
    let ours = try bounded.load(Self.probe.utf8, name: "probe")
    let singles = ["a", "b", "(", ".", "%a", "%d", "%S", "[ab]", "[^a]", "[a-c1]", "%%", "%.", "]", "^", "$"]
    let repeats = ["", "", "", "*", "+", "-", "?"]
    let others = ["(a)", "(.-)", "()", "%b()", "%f[%a]", "(%w*)"]
    var stream = RandomStream(seed: 7)
    func pick<T>(_ list: [T]) -> T { list[stream.integer(below: list.count)] }
    for _ in 0..<3000 {
      var pattern = stream.integer(below: 5) == 0 ? "^" : ""
      for _ in 0...stream.integer(below: 5) {
        let single = pick(singles)
        pattern += stream.integer(below: 4) == 0 ? pick(others) : (single == "(" ? "%(" : single) + pick(repeats)
      }
      if stream.integer(below: 4) == 0 { pattern += "$" }
      let subject = String((0..<stream.integer(below: 12)).map { _ in pick(Array("aabbc1 ().$^]%")) })
      try compare(subject, pattern, stock, ours)
    }
  }

  @Test(arguments: [
    ("%", "malformed pattern (ends with '%')"), ("[a", "malformed pattern (missing ']')"),
    ("[a%", "malformed pattern (missing ']')"), ("(a", "unfinished capture"), ("a)", "invalid pattern capture"),
    ("%1", "invalid capture index %1 in pattern"), ("(%1)", "invalid capture index %1 in pattern"),
    ("%bx", "malformed pattern (missing arguments to '%b')"), ("%fa", "missing '[' after '%f' in pattern"),
    (String(repeating: "()", count: 33), "too many captures"),
  ])
  func malformedPatternsAreErrors(_ pattern: String, _ message: String) throws {
    let results = try run("return select(2, pcall(string.find, 'a', ...))", in: sandbox(), [.string(pattern)])
    #expect(results == [.string(message)])
  }

  @Test func replacementsAreChecked() throws {
    let state = try sandbox()
    #expect(
      failure("('a'):gsub('a', '%2')", in: state)?.message.contains("invalid capture index %2 in replacement") == true)
    #expect(failure("('a'):gsub('a', '%x')", in: state)?.message.contains("invalid use of '%'") == true)
    #expect(failure("('a'):gsub('a', function() return {} end)", in: state)?.message.contains("a table") == true)
    #expect(failure("('a'):gsub('a')", in: state)?.message.contains("string/function/table expected") == true)
    #expect(try run("return ('a1b2'):gsub('%d', 7), ('abc'):gsub('', '-')", in: state) == ["a7b7", "-a-b-c-", 4])
  }
}
