import Scripting
import Testing
import Values

@Suite struct SandboxTests {
  @Test func onlyAllowedNamesExist() throws {
    let text = """
      local names = {}
      for name, value in pairs(_G) do
        if type(value) ~= 'table' then names[#names + 1] = name
        elseif name ~= '_G' then for inner in pairs(value) do names[#names + 1] = name .. '.' .. inner end end
      end
      return table.concat(names, ' ')
      """
    let expected = """
      _VERSION assert collectgarbage coroutine.close coroutine.create coroutine.isyieldable coroutine.resume \
      coroutine.running coroutine.status coroutine.wrap coroutine.yield error getmetatable ipairs load math.abs \
      math.acos math.asin math.atan math.ceil math.cos math.deg math.exp math.floor math.fmod math.huge math.log \
      math.max math.maxinteger math.min math.mininteger math.modf math.pi math.rad math.random math.randomseed \
      math.sin math.sqrt math.tan math.tointeger math.type math.ult next pairs pcall print rawequal rawget rawlen \
      rawset select setmetatable string.byte string.char string.find string.format string.gmatch string.gsub \
      string.len string.lower string.match string.pack string.packsize string.rep string.reverse string.sub \
      string.unpack string.upper table.concat table.insert table.move table.pack table.remove table.sort \
      table.unpack tonumber tostring type utf8.char utf8.charpattern utf8.codepoint utf8.codes utf8.len \
      utf8.offset xpcall
      """
    #expect(try run(text, in: sandbox()) == [.string(expected)])
    #expect(
      try run(
        "return #utf8.charpattern, ('aé漢'):gmatch(utf8.charpattern)(), select(2, ('aé漢'):gsub(utf8.charpattern, ''))",
        in: sandbox())
        == [14, "a", 3])
    #expect(try run("return '10' + 1, '3' * '4', -'2', '7' // 2", in: sandbox()) == [11, 12, -2, 3])
    #expect(
      try run("return _G._G == _G, io, os, package, debug, require, undefined", in: sandbox())
        == [true, nil, nil, nil, nil, nil, nil])
  }

  @Test func whatRunsWithoutHooksIsRefused() throws {
    let state = try sandbox()
    func message(_ text: String) -> String { failure(text, in: state)?.message ?? "" }
    #expect(message("setmetatable({}, { __gc = true })") == "test.lua:1: a plugin's metatable cannot have __gc")
    #expect(message("getmetatable('').__index = nil").contains("attempt to index a boolean value"))
    #expect(message("setmetatable(setmetatable({}, { __metatable = 1 }), {})").contains("protected metatable"))
    #expect(message("load('\\27Lua')()").contains("attempt to call a nil value"))
    #expect(
      try run("return select(2, load('\\27Lua', 'x', 'b'))", in: state)[0].string?.contains("binary chunk") == true)
    #expect(message("load(('x = 1 '):rep(100000))").contains("can load at most 262144 bytes"))
    #expect(message("load(function() return ('x = 1 '):rep(100) end)").contains("can load at most 262144 bytes"))
    #expect(message("table.move({}, 1, math.maxinteger - 1, 2)").contains("can move at most"))
    #expect(
      message("table.insert(setmetatable({}, { __len = function() return 1 << 50 end }), 1, 1)").contains("__len"))
    #expect(message("('x'):rep(1 << 50)").contains("too large") || message("('x'):rep(1 << 50)") == "not enough memory")
  }

  @Test func libraryFunctionsWorkAsInLua() throws {
    let text = """
      local f = load('local a = ... return a + b', 'chunk', 't', { b = 2 })
      local parts, at = { 'return ', '7' }, 0
      local g = load(function() at = at + 1 return parts[at] end)
      local t = { 3, 1, 2 }
      table.sort(t)
      local u = { 3, 1, 2 }
      table.sort(u, function(a, b) return a > b end)
      table.insert(t, 4)
      table.insert(t, 1, 0)
      local removed = table.remove(u)
      local moved = table.move({ 1, 2, 3 }, 2, 3, 1)
      local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) error('end ' .. b) end)
      local mt = setmetatable({}, { __index = function(_, k) return k .. '!' end })
      return f(1), g(), t, u, removed, moved, co(1), select(2, pcall(co, 5)), mt.x, ('%5.2f|%s'):format(1.5, true),
        utf8.len('žlu'), ('abc'):upper(), ('x'):rep(3, '-'), ('x'):rep(0), (''):rep(1 << 40), math.type(1.0),
        select(2, xpcall(error, function(m) return m .. '?' end, 'oops')), select('#', pcall(function() end))
      """
    let results = try run(text, in: sandbox())
    #expect(
      results == [
        3, 7, [0, 1, 2, 3, 4], [3, 2], 1, [2, 3, 3], 2, "test.lua:12: end 5", "x!", " 1.50|true", 3, "ABC", "x-x-x", "",
        "", "float", "oops?", 1,
      ])
  }

  @Test func randomNumbersAreTheStatesOwn() throws {
    func numbers(_ seed: Int, _ text: String = "") throws -> [Value] {
      try run(text + " return math.random(1 << 40), math.random()", in: sandbox(seed: seed))
    }
    #expect(try numbers(1) == numbers(1))
    #expect(try numbers(1) != numbers(2))
    #expect(try numbers(1, "math.randomseed()") == numbers(1))
    #expect(try numbers(1, "math.randomseed(2)") == numbers(2))
  }

  /// Code that would never end, or not for hours.
  @Test(arguments: [
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "local function f() while true do end end while true do xpcall(f, f) end",
    "xpcall(function() while true do end end, function() while true do end end)",
    "local co = coroutine.create(function() while true do end end) while true do coroutine.resume(co) end",
    "while true do pcall(coroutine.wrap(function() while true do end end)) end",
    """
    local co = coroutine.create(function()
      local x <close> = setmetatable({}, { __close = function() while true do end end })
      coroutine.yield()
    end)
    coroutine.resume(co)
    coroutine.close(co)
    return 1
    """,
    "local t = setmetatable({}, { __index = function() while true do end end }) return t.x",
    "local function f() local x <close> = setmetatable({}, { __close = function() while true do end end }) error() end f()",
    "local x <close> = setmetatable({}, { __close = function() while true do end end }) while true do end",
    "error(setmetatable({}, { __tostring = function() while true do end end }))",
    "load(function() while true do end end)",
    "table.sort({ 3, 2, 1 }, function() while true do end end)",
    "local s = ('a'):rep(30000) s:find(('.-'):rep(20) .. 'b')",
    "local s = ('a'):rep(100000) s:find('.-.-.-b')", "local s = ('a'):rep(3000) s:gsub('.-.-.-.-b', '')",
    "local s = ('a'):rep(3000) for w in s:gmatch('a*a*a*a*a*b') do end",
    "local s = ('('):rep(60000) s:find('%b()', 1) for i = 1, 1 << 40 do s:find('%b()') end",
    "local s = ('x'):rep(1 << 20) while true do s = s:sub(1, 1 << 20) .. '' end",
    "local s = ('x'):rep(1 << 23) while true do local t = s:upper() end",
    "local s = ('x'):rep(1 << 23) while true do utf8.len(s) end",
    "local s = ('x'):rep(1 << 20) local t = {} for i = 1, 2000 do t[i] = s .. i end",
    "local t = {} for i = 1, 1000000 do t[i] = i end while true do for _ in pairs(t) do break end end",
    "while true do load('x = 1') end", "while true do collectgarbage() end",
    "return (function() while true do end end)()",
    "local a = setmetatable({}, { __len = function() while true do end end }) return #a",
    "local t = setmetatable({}, { __pairs = function() while true do end end }) for _ in pairs(t) do end",
    "('x'):gsub('x', function() while true do end end)",
    "table.concat(setmetatable({}, { __index = function() return '' end }), '', 1, 1 << 60)",
  ])
  func everythingEndsAtATimeLimit(_ text: String) throws {
    let state = try sandbox(seconds: 0.1, megabytes: 64)
    let error = try #require(failure(text, in: state))
    #expect(error.kind == .time || error.kind == .memory, "\(error.message)")
    if error.kind == .time {
      #expect(error.message.hasSuffix("the time limit of 0.1 s is over") || error.message == "the time limit is over")
    }
  }

  @Test(arguments: [
    "local t = {} while true do t[#t + 1] = t end", "local s = 'x' while true do s = s .. s end",
    "local t = {} while true do t[#t + 1] = ('x'):rep(100000) .. #t end", "return ('x'):rep(1 << 30)",
    "local function f(...) return f(1, ...) end f()",
    "while true do pcall(function() local t = {} while true do t[#t + 1] = t end end) end",
    "local co = coroutine.wrap(function() local t = {} while true do t[#t + 1] = t end end) while true do pcall(co) end",
    "local t = { 1 } for i = 1, 60 do t = { t, t } end return t",
  ])
  func memoryIsBounded(_ text: String) throws {
    let state = try sandbox(megabytes: 4)
    let error = try #require(failure(text, in: state))
    #expect(error.kind == .memory || error.message.contains("stack overflow"), "\(error.message)")
    #expect(state.memoryUsed <= 4 << 20)
  }

  @Test func aLimitStopsACallAndNotTheNext() throws {
    let state = try sandbox(seconds: 0.05)
    for _ in 1...2 { #expect(failure("while true do end", in: state)?.kind == .time) }
    #expect(try run("return 1", in: state) == [1])
  }
}
