import Scripting
import Testing
import Values

@Suite struct PairsTests {
  @Test(arguments: [false, true]) func keysComeInAStableOrder(_ sandboxed: Bool) throws {
    let text = """
      local t = { z = 1, [2.5] = 2, [true] = 3, [-1] = 4, a = 5, [10] = 6, [false] = 7, [1] = 8, aa = 9, B = 10,
        [math.huge] = 11, [math.mininteger] = 12, [2^60 + 0.0] = 13, [''] = 14, [-math.huge] = 15 }
      local order = {}
      for key, value in pairs(t) do order[#order + 1] = value end
      return order
      """
    let state = try sandboxed ? sandbox() : LuaState()
    #expect(try run(text, in: state) == [[7, 3, 15, 12, 4, 8, 2, 6, 13, 11, 14, 10, 5, 9, 1]])
  }

  @Test func theOrderDoesNotDependOnInsertion() throws {
    let text = """
      local words = {}
      for i = 1, 200 do words[i] = 'word' .. (i * 7919) % 1009 end
      local function order(from, to, step)
        local t, keys = {}, {}
        for i = from, to, step do t[words[i]] = i end
        for key in pairs(t) do keys[#keys + 1] = key end
        return table.concat(keys, ' ')
      end
      return order(1, 200, 1) == order(200, 1, -1)
      """
    #expect(try run(text) == [true])
  }

  @Test func fieldsMayBeChangedAndRemovedOnTheWay() throws {
    let text = """
      local t, seen = { 1, 2, 3, a = 4, b = 5, c = 6 }, {}
      for key, value in pairs(t) do
        seen[#seen + 1] = value
        t[key] = nil
        t[2], t.b = nil, nil
      end
      return seen, next(t) == nil
      """
    #expect(try run(text) == [[1, 3, 4, 6], true])
    #expect(try run("local t, n = { 5, 6, 7 }, 0 for i, v in pairs(t) do n = n + i * v t[i] = 0 end return n") == [38])
    #expect(try run("for _ in pairs({}) do error() end return 1") == [1])
  }

  @Test func theMetamethodIsRespected() throws {
    let text = """
      local t = setmetatable({}, { __pairs = function(self) return function(_, k) if not k then return 'k', 'v' end end, self end })
      for key, value in pairs(t) do return key, value end
      """
    #expect(try run(text) == ["k", "v"])
    let state = try LuaState()
    #expect(failure("for _ in pairs(nil) do end", in: state)?.message.contains("table expected, got nil") == true)
    #expect(failure("pairs()", in: state)?.message.contains("bad argument #1 to 'pairs'") == true)
  }
}
