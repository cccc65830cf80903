import Scripting
import Testing
import Values

@Suite struct HostTests {
  @Test func hostFunctionsGetArgumentsAndReturnResults() throws {
    let state = try LuaState()
    try state.register(
      module: "host",
      [
        "swap": function("swap") { call in [call[2], call[1]] },
        "inner": ["count": function("count") { call in [.integer(call.count)] }],
      ])
    let text =
      "local h = require 'host' local a, b = h.swap(1, 'x') return a, b, h.inner.count(nil, nil), h.inner.count()"
    #expect(try run(text, in: state) == ["x", 1, 2, 0])
  }

  @Test func errorsOfTheHostCarryTheCallersPosition() throws {
    let state = try LuaState()
    try state.register(
      module: "host", ["fail": function("fail") { call in throw GRAOError("no \(try call.string(1))") }])
    #expect(failure("local h = require 'host'\nh.fail('way')", in: state)?.message == "test.lua:2: no way")
    #expect(
      failure("local h = require 'host'\nlocal x = 1\nh.fail(7)", in: state)?.message
        == "test.lua:3: argument 1 of fail must be a string, not an integer")
    #expect(failure("require 'host'.fail()", in: state)?.message.contains("not nothing") == true)
    #expect(try run("return pcall(require 'host'.fail, 'x')", in: state) == [false, "no x"])
  }

  @Test func errorsKeepTheirMessageAndInnerTracebackThroughSwift() throws {
    let state = try LuaState()
    try state.register(module: "host", ["call": function("call") { call in try call.function(1).call() }])
    let text = """
      local h = require 'host'
      local function inner() error("deep") end
      h.call(function()
        inner()
      end)
      """
    let error = try #require(failure(text, in: state))
    #expect(error.message == "test.lua:2: deep")
    #expect(error.traceback.contains("upvalue 'inner'"), "\(error.traceback)")
    #expect(error.traceback.contains("main chunk"))
  }

  @Test func errorValuesBecomeMessages() throws {
    let state = try LuaState()
    #expect(failure("error({ code = 1 })", in: state)?.message == "(the error is a table value)")
    #expect(failure("error(nil)", in: state)?.message == "(the error is a nil value)")
    #expect(failure("error(12)", in: state)?.message == "12")
    let object = "setmetatable({}, { __tostring = function() return 'told' end })"
    #expect(failure("error(\(object))", in: state)?.message == "told")
    #expect(failure("error('plain', 0)", in: state)?.message == "plain")
    #expect(failure("x = = 1", in: state)?.message == "test.lua:1: unexpected symbol near '='")
    #expect(failure("local t\n\nt.x = 1", in: state)?.message == "test.lua:3: attempt to index a nil value (local 't')")
    #expect(failure("local function f() return f() + 1 end f()", in: state)?.message.contains("stack overflow") == true)
  }

  @Test func binaryChunksAreRefused() throws {
    let dumped = try run("return #string.dump(function() end) > 0")
    #expect(dumped == [true])
    let error = #expect(throws: LuaError.self) {
      try LuaState().load([0x1B, 0x4C, 0x75, 0x61], name: "binary.lua")
    }
    #expect(error?.message.contains("attempt to load a binary chunk") == true)
  }

  @Test func deepCallsThroughSwiftEndInAnError() throws {
    let state = try LuaState()
    try state.register(module: "host", ["call": function("call") { call in try call.function(1).call() }])
    let text = "local h = require 'host' local function f() h.call(f) end f()"
    #expect(failure(text, in: state)?.message.contains("stack overflow") == true)
    #expect(try run("return 1", in: state) == [1])
  }

  @Test func coroutinesCanCallTheHostAndBack() throws {
    let state = try LuaState()
    try state.register(module: "host", ["call": function("call") { call in try call.function(1).call([call[2]]) }])
    let text = """
      local h = require 'host'
      local co = coroutine.wrap(function(x)
        local y = h.call(function(v) return v * 2 end, x)
        local z = coroutine.yield(y)
        return h.call(function(v) return v + 1 end, z), pcall(h.call, coroutine.yield)
      end)
      return co(4), co(10)
      """
    let results = try run(text, in: state)
    #expect(results.prefix(3) == [8, 11, false])
    #expect(results.last?.string?.contains("attempt to yield across a C-call boundary") == true)
  }

  @Test func objectsHaveMethodsFieldsLengthAndElements() throws {
    let count = Counted.Count()
    let state = try LuaState()
    try state.register(Counted.luaClass)
    let object = Counted(count, "abc")
    let text = """
      local o = ...
      local same, x = o:same('x')
      return o.name, #o, o[1], o[2], o[1.5], o.missing, same == o, x, tostring(o), o:same(nil)
      """
    let results = try run(text, in: state, [.object(object)])
    #expect(results.prefix(9) == ["abc", 3, "abc", nil, nil, nil, true, "x", "counted abc"])
    #expect(results[9].object === object)
    #expect(
      failure("local o = ...", in: state) == nil
        && failure("(function(o) o.x = 1 end)(nil)", in: state)?.message.contains("nil value") == true)
  }

  @Test func objectsAnswerMisuseWithErrors() throws {
    let state = try LuaState()
    try state.register(Counted.luaClass)
    let object = Value.object(Counted(Counted.Count(), "abc"))
    func message(_ text: String) throws -> String {
      let error = #expect(throws: LuaError.self) { try run(text, in: state, [object]) }
      return error?.message ?? ""
    }
    #expect(
      try message("(...).same(7)").hasSuffix(
        "test.counted:same was called on an integer, not on a test.counted; write ':' before a method's name"))
    #expect(try message("local o = ... o.x = 1") == "test.lua:1: a test.counted cannot be changed")
    #expect(try message("local o = ... o:fail()") == "test.lua:1: failed on purpose")
    #expect(try message("local o = ... o:missing()").contains("attempt to call a nil value (method 'missing')"))
    #expect(try message("setmetatable(getmetatable(...), {})").contains("table expected"))
    #expect(try message("getmetatable(...).__gc(nil)").contains("attempt to call a nil value"))
  }

  @Test func objectsOfUnknownClassesAreErrors() throws {
    let error = #expect(throws: LuaError.self) { try run("", [.object(Counted(Counted.Count()))]) }
    #expect(error?.message == "a Counted has no form in Lua")
  }

  @Test func objectsAreClosedAtTheEndOfTheirBlock() throws {
    let count = Counted.Count()
    let state = try LuaState()
    try state.register(Counted.luaClass)
    let object = Counted(count)
    try run("do local o <close> = ... assert(o.name == '') end", in: state, [.object(object)])
    #expect(object.isClosed)
    let other = Counted(count)
    #expect(throws: LuaError.self) { try run("local o <close> = ... error('out')", in: state, [.object(other)]) }
    #expect(other.isClosed)
  }

  @Test func aClassWithoutCloseReleasesItsObject() throws {
    final class Plain {}
    let state = try LuaState()
    try state.register(LuaClass<Plain>("test.plain"))
    weak var plain: Plain?
    try {
      let object = Plain()
      plain = object
      try run("do local o <close> = ... kept = o assert(tostring(o) == 'test.plain') end", in: state, [.object(object)])
    }()
    #expect(plain == nil)
    #expect(failure("return kept", in: state)?.message.contains("a closed test.plain cannot be used here") == true)
  }

  @Test func objectsLiveAsLongAsLuaNeedsThem() throws {
    let count = Counted.Count()
    var state: LuaState? = try LuaState()
    try state?.register(Counted.luaClass)
    try run("kept = ...", in: state!, [.object(Counted(count, "kept"))])
    try run("local dropped = ...", in: state!, [.object(Counted(count, "dropped"))])
    #expect(count.living == 2)
    try run("collectgarbage() collectgarbage()", in: state!)
    #expect(count.living == 1)
    #expect(try run("return kept.name", in: state!) == ["kept"])
    state = nil
    #expect(count.living == 0)
  }

  @Test func finalizersMayCallTheHostAtAnyTime() throws {
    let state = try LuaState()
    try state.register(Counted.luaClass)
    let count = Counted.Count()
    var calls = 0
    try state.register(
      module: "host",
      [
        "take": function("take") { call in
          calls += 1
          return [.object(Counted(count, "made")), call[1]]
        }
      ])
    let text = """
      collectgarbage("generational")
      local h = require 'host'
      local function litter()
        setmetatable({}, { __gc = function() h.take({ 1, 2, { x = print } }) end })
      end
      for i = 1, 2000 do
        litter()
        local o, t = h.take({ i, tostring(i), { x = litter } })
        assert(o.name == "made" and t[1] == i and t[2] == tostring(i) and t[3].x == litter)
      end
      """
    try run(text, in: state)
    #expect(calls > 2000)
  }
}
