import Scripting
import Testing
import Values

/// Every allocation fails in turn, while scripts go through all of the bridge: each time the end is "not enough memory"
/// or, where a script has caught that, success; nothing crashes, and no Swift object stays behind.
@Suite struct AllocationFailureTests {
  static let scripts = [
    (
      "tables and strings",
      """
      local h = ...
      local t = h.echo({ 1, 2, 3, { name = 'x', list = { 'a', 'b' } }, ('long '):rep(40) })
      assert(t[4].list[2] == 'b' and #t == 5)
      local s = {}
      for k, v in pairs({ b = 1, a = 2, [3] = 3, [1] = 4 }) do s[#s + 1] = tostring(k) end
      assert(table.concat(s) == '13ab')
      """
    ),
    (
      "objects",
      """
      local h = ...
      do
        local o <close> = h.make('one')
        assert(#o == 3 and o.name == 'one' and tostring(o) == 'counted one' and o[1] == 'one')
        local same = o:same({ h.make('two'), key = nil })
        assert(same == o)
      end
      kept = { h.make('three'), h.make('four') }
      """
    ),
    (
      "callbacks",
      """
      local h = ...
      local function twice(x) return { value = x * 2 }, h.make('inside') end
      local a, b = h.call(twice, 21)
      assert(a.value == 42 and b.name == 'inside')
      local co = coroutine.wrap(function(x)
        local y = h.call(twice, x)
        coroutine.yield(y.value, h.make('yielded'))
      end)
      assert(co(4) == 8)
      local results = table.pack(xpcall(h.call, function(m) return m end, twice, 1))
      assert(results.n == 3 or results[2] == 'not enough memory')
      """
    ),
    (
      "errors",
      """
      local h = ...
      local ok, message = pcall(h.fail, 'on purpose', { h.make('lost') })
      assert(not ok and (message == 'on purpose' or message == 'not enough memory'), message)
      local ok, message = pcall(h.call, function() h.make('lost too') h.fail('deep') end)
      assert(not ok and (message:find('deep') or message == 'not enough memory'), message)
      local ok, message = pcall(h.echo, { 1, x = 2 })
      assert(not ok and (message:find('both strings') or message == 'not enough memory'), message)
      """
    ),
  ]

  /// Runs a script with some allocations failing: whether any failed.
  func attempt(_ script: String, failures: Range<Int>, sandboxed: Bool) throws -> Bool {
    let count = Counted.Count()
    let failed = {
      var options = LuaState.Options()
      options.failures = failures
      options.isSandboxed = sandboxed
      let state: LuaState
      do throws(LuaError) {
        state = try LuaState(options)
      } catch {
        #expect(error.kind == .memory)
        return true
      }
      do throws(LuaError) {
        try state.register(Counted.luaClass)
        try run(script, in: state, [Self.host(count)])
      } catch {
        #expect(error.kind == .memory, "\(error.message)")
        #expect(error.message == "not enough memory")
        #expect(state.failures > 0)
      }
      return state.failures > 0
    }()
    #expect(count.living == 0)
    return failed
  }

  static func host(_ count: Counted.Count) -> Value {
    [
      "echo": function("echo") { call in call.arguments },
      "make": function("make") { call in [.object(Counted(count, try call.string(1)))] },
      "call": function("call") { call in try call.function(1).call(Array(call.arguments.dropFirst())) },
      "fail": function("fail") { call in throw GRAOError(try call.string(1)) },
    ]
  }

  /// From one allocation on all fail.
  @Test(arguments: scripts, [false, true])
  func allocationsFailForGood(_ script: (name: String, text: String), _ sandboxed: Bool) throws {
    var first = 1
    while try attempt(script.text, failures: first..<Int.max, sandboxed: sandboxed) { first += 1 }
    #expect(first > 400)
  }

  /// One allocation fails, also when Lua tries it again after a collection; those after it succeed.
  @Test(arguments: scripts, [false, true])
  func allocationsFailOnce(_ script: (name: String, text: String), _ sandboxed: Bool) throws {
    var first = 1
    while try attempt(script.text, failures: first..<first + 2, sandboxed: sandboxed) { first += 1 }
    #expect(first > 400)
  }
}
