import Scripting
import Testing
import Values

@Suite struct ConversionTests {
  @Test func valuesGoThroughLuaUnchanged() throws {
    let values: [Value] = [
      nil, true, false, 0, -7, .integer(.max), .integer(.min), 0.5, .number(-.infinity), "", "a\u{0}b", "žluť 🐎",
      [1, 2, 3], ["a", [true, ["b": 1.5]]], ["a": 1, "b": ["c": [1]]], .table(Table()), [1, nil, 3],
    ]
    for value in values { #expect(try run("return ...", [value]) == [value]) }
  }

  @Test func integersAndNumbersAreKeptApart() throws {
    let values = try run("return 1, 1.0, 2^53, math.maxinteger, -0.0")
    guard case .integer(1) = values[0], case .number(1.0) = values[1], case .number(0x1p53) = values[2],
      case .integer(.max) = values[3], case .number(let zero) = values[4]
    else {
      Issue.record("\(values)")
      return
    }
    #expect(zero.sign == .minus)
  }

  @Test func keysComeInByteOrder() throws {
    let table = try run("return { b = 1, a = 2, ['á'] = 3, B = 4, ab = 5, [''] = 6 }")[0].table
    #expect(table?.keys == ["", "B", "a", "ab", "b", "á"])
  }

  @Test func nullIsLeftOutOfTablesAndKeptInArrays() throws {
    #expect(
      try run("local t, a = ... return t.x == nil, #a, a[2] == nil, a", [["x": nil], [1, nil, 3]])
        == [true, 3, false, [1, nil, 3]])
  }

  @Test(arguments: [
    ("{ 1, 2, x = 3 }", "a table must have the keys 1 to n, or strings; found both strings and integers"),
    ("{ [true] = 1 }", "found a boolean key"), ("{ [1.5] = 1 }", "found a number key"), ("{ [0] = 1 }", "a number key"),
    ("{ [1] = 1, [4] = 2 }", "found 2 of the keys 1 to 4"),
    ("{ 1, { a = { 1, { [{}] = 2 } } } }", "argument 1: [2].a[2]: a table must have"),
    ("coroutine.create(print)", "a thread cannot be used here"),
    ("io.stdout", "argument 1: a FILE* cannot be used here"),
    ("(function() local t = {} t.a = { b = t } return t end)()", "argument 1: a.b: a table that contains itself"),
    ("(function() local t = {} for i = 1, 300 do t = { t } end return t end)()", "more than 256 levels deep"),
  ])
  func valuesWithoutAFormInSwiftAreErrors(_ text: String, _ message: String) throws {
    let state = try LuaState()
    try state.register(module: "host", ["take": function("take") { _ in [] }])
    let error = failure("require('host').take(\(text))", in: state)
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "no error")")
    #expect(error?.message.hasPrefix("test.lua:1: ") == true, "\(error?.message ?? "")")
  }

  @Test func sharedTablesAreNoCycle() throws {
    #expect(try run("local t = { 1 } return { t, t, { t } }") == [[[1], [1], [[1]]]])
  }

  @Test func stringsThatAreNotUTF8AreRepaired() throws {
    #expect(try run("return 'a\\xFFb'") == ["a\u{FFFD}b"])
  }

  @Test func metamethodsAreNotAsked() throws {
    let text = """
      local t = setmetatable({ 1 }, { __index = error, __len = error, __pairs = error, __eq = error })
      return t
      """
    #expect(try run(text) == [[1]])
  }

  @Test func functionsCanBeCalledAndGoBack() throws {
    let state = try LuaState()
    let results = try run("local function f(x) return x + 1, f end return f, { g = f }", in: state)
    let function = try #require(results[0].object as? LuaFunction)
    #expect(try function.call([41])[0] == 42)
    #expect(try run("local f, t = ... return f == t", in: state, [results[0], results[1]["g"] ?? nil]) == [true])
    let other = try LuaState()
    let error = #expect(throws: LuaError.self) { try run("return ...", in: other, [results[0]]) }
    #expect(error?.message == "a function cannot pass from one Lua state to another")
  }

  @Test func functionsAreReleasedByLuaAfterSwift() throws {
    let state = try LuaState()
    try run("collected = 0", in: state)
    var functions: [Value] = try run(
      """
      local guard = setmetatable({}, { __gc = function() collected = collected + 1 end })
      return function() return guard end
      """, in: state)
    try run("collectgarbage() collectgarbage()", in: state)
    #expect(try run("return collected", in: state) == [0])
    functions = []
    try run("", in: state)  // gives the queued reference back
    #expect(try run("collectgarbage() collectgarbage() return collected", in: state) == [1])
    #expect(functions.isEmpty)
  }

  @Test func functionsOfAClosedStateSaySo() throws {
    var state: LuaState? = try LuaState()
    let function = try #require(try run("return print", in: state!)[0].object as? LuaFunction)
    state = nil
    let error = #expect(throws: LuaError.self) { try function.call() }
    #expect(error?.message == "a function of a script that has ended was called")
  }

  @Test func longArraysKeepTheirOrder() throws {
    let ids = (0..<100_000).map { Value.integer($0) }
    let back = try run("local t = ... assert(#t == 100000 and t[100000] == 99999) return t", [.array(ids)])
    #expect(back == [.array(ids)])
  }
}
