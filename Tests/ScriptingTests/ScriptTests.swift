import Scripting
import Testing
import Values

@Suite struct ScriptTests {
  func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch {
      return "\(error)"
    }
  }

  /// Runs a script that ends by handing values to `report`.
  func report(_ files: [String: String], arguments: [String] = []) throws -> [Value] {
    let folder = try TemporaryFolder()
    for (name, text) in files { try folder.write(text, to: name) }
    let state = try LuaState()
    var reported: [Value] = []
    try state.register(
      module: "host",
      [
        "report": function("report") { call in
          reported = call.arguments
          return []
        }
      ])
    try state.run(file: folder.path + "/main.lua", arguments: arguments)
    return reported.map { value in
      value.string.map { .string($0.replacing(folder.path, with: "HERE")) } ?? value
    }
  }

  @Test func argumentsArriveInArg() throws {
    let text = "require'host'.report(arg[0], #arg, arg[1], arg[2], ...)"
    #expect(
      try report(["main.lua": text], arguments: ["a b", "-x"]) == ["HERE/main.lua", 2, "a b", "-x", "a b", "-x"])
    #expect(try report(["main.lua": "require'host'.report(#arg, ...)"]) == [0])
  }

  @Test func requireFindsTheScriptsFolder() throws {
    let files = [
      "main.lua":
        "#!/usr/bin/env grao-run\nrequire'host'.report(require 'one', (require 'two.three'), (require 'four'))",
      "one.lua": "return 1", "two/three.lua": "return 2", "four/init.lua": "return 3",
    ]
    #expect(try report(files) == [1, 2, 3])
  }

  @Test func randomNumbersAreSeeded() throws {
    let text = "require'host'.report(math.random(1 << 40), math.random(1 << 40))"
    let first = try report(["main.lua": text])
    #expect(try report(["main.lua": text]) == first)
    #expect(first[0] != first[1])
    #expect(try report(["main.lua": "math.randomseed(0) " + text]) == first)
    #expect(try report(["main.lua": "math.randomseed(1) " + text]) != first)
    var options = LuaState.Options()
    options.seed = 1
    let seeded = try run("return math.random(1 << 40), math.random(1 << 40)", in: LuaState(options))
    #expect(seeded == (try report(["main.lua": "math.randomseed(1) " + text])))
  }

  @Test func filesThatAreNoScriptsAreErrors() throws {
    let folder = try TemporaryFolder()
    let state = try LuaState()
    #expect(
      message { try state.run(file: folder.path + "/none.lua", arguments: []) }
        == "\(folder.path)/none.lua: No such file or directory")
    #expect(
      message { try state.run(file: folder.path, arguments: []) } == "\(folder.path): a directory, not a Lua file")
    #expect(message { try state.run(file: "/dev/null", arguments: []) } == "/dev/null: not a regular file")
  }

  @Test func errorsCarryTheWholePathHoweverLong() throws {
    let folder = try TemporaryFolder()
    let long = String(repeating: "deep-folder/", count: 12)
    let file = try folder.write("local t\nlocal function f()\n  t.x = 1\nend\nf()", to: long + "main.lua")
    let error = #expect(throws: LuaError.self) { try LuaState().run(file: file, arguments: []) }
    #expect(error?.message == "\(file):3: attempt to index a nil value (upvalue 't')")
    #expect(error?.traceback.contains("\(file):5: in main chunk") == true, "\(error?.traceback ?? "")")
    let broken = try folder.write("x = 1\ny = = 2", to: long + "broken.lua")
    #expect(
      message { try LuaState().run(file: broken, arguments: []) } == "\(broken):2: unexpected symbol near '='")
    let error2 = try folder.write("\nerror('here')", to: long + "error.lua")
    #expect(message { try LuaState().run(file: error2, arguments: []) } == "\(error2):2: here")
    let host = try folder.write("require'grao'.fail()", to: long + "host.lua")
    let state = try LuaState()
    try state.register(module: "grao", ["fail": function("fail") { _ in throw GRAOError("no") }])
    #expect(message { try state.run(file: host, arguments: []) } == "\(host):1: no")
  }

  @Test func theDebugLibraryOnlyShows() throws {
    #expect(try run("local n = {} for k in pairs(debug) do n[#n + 1] = k end return n") == [["getinfo", "traceback"]])
    #expect(try run("return require'debug' == debug") == [true])
  }

  @Test func jsonGoesBothWays() throws {
    let state = try LuaState()
    try state.register(module: "grao", ["json": JSONFunctions.module])
    let text = """
      local json = require 'grao'.json
      local t = json.decode('{"b": [1, null, 2.5], "a": {"x": "\\\\u017e"}, "n": null}')
      return json.encode(t), t.b[2] == json.null, t.n, json.encode({ json.null, {}, 1e300 }), json.encode('a/b')
      """
    #expect(
      try run(text, in: state) == [
        #"{"a": {"x": "ž"}, "b": [1, null, 2.5]}"#, true, nil, "[null, {}, 1e+300]", #""a/b""#,
      ])
    let broken = failure("return require 'grao'.json.decode('[1,')", in: state)
    #expect(broken?.message.hasPrefix("test.lua:1: grao.json.decode: line 1: ") == true)
    #expect(failure("return require 'grao'.json.encode(0/0)", in: state)?.message.contains("no form") == true)
    #expect(failure("return require 'grao'.json.encode(print)", in: state)?.message.contains("no form") == true)
  }

  @Test func anInterruptStopsAScriptThatCatchesErrors() async {
    await #expect(processExitsWith: .success) {
      let state = try LuaState()
      Interruption.request()
      let text = """
        local co = coroutine.wrap(function()
          while true do
            pcall(xpcall, function() while true do end end, function() while true do end end)
          end
        end)
        while true do pcall(co) end
        """
      do throws(LuaError) {
        try run(text, in: state)
      } catch {
        try #require(error.kind == .interrupted)
        try #require(error.message.hasSuffix(": interrupted"))
      }
      Interruption.clear()
      try #require(try run("return 1", in: state) == [1])
    }
  }

  @Test func hostFunctionsPassAnInterruptOn() throws {
    let state = try LuaState()
    let stop = function("stop") { _ in throw LuaError(kind: .interrupted, message: "interrupted") }
    try state.register(module: "host", ["stop": stop])
    let error = failure("while true do pcall(require'host'.stop) end", in: state)
    #expect(error?.kind == .interrupted)
    #expect(try run("return 1", in: state) == [1])
  }
}
