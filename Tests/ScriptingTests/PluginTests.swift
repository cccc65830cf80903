import Foundation
import Scripting
import Testing
import Values

@testable import Alignment

/// Writes a plugin `<name>/init.lua` and loads it.
func plugin(
  _ text: String, name: String = "p", options: Table = Table(), files: [String: String] = [:],
  limits: Sandbox.Limits = Sandbox.Limits(), seed: Int = 0
) throws -> Plugin {
  let folder = try TemporaryFolder()
  try folder.write(text, to: "\(name)/init.lua")
  for (file, text) in files { try folder.write(text, to: file) }
  do {
    return try Plugin(folder: "\(folder.path)/\(name)", options: options, limits: limits, seed: seed)
  } catch let error as GRAOError {
    throw GRAOError(error.message.replacing(folder.path, with: "HERE"))
  } catch let error as LuaError {
    throw LuaError(kind: error.kind, message: error.message.replacing(folder.path, with: "HERE"))
  }
}

func reward(_ body: String, options: String = "{}") -> String {
  """
  return { name = "p", version = "1.0.0", kind = "reward", description = "for a test", options = \(options),
    score = function(sample, options) \(body) end }
  """
}

func message(_ body: () throws -> some Any) -> String {
  do {
    _ = try body()
    return "no error"
  } catch {
    return "\(error)"
  }
}

@Suite struct PluginTests {
  @Test func aPluginKnowsItself() throws {
    let loaded = try plugin(
      reward("return #sample.completion * options.factor", options: "{ factor = { type = 'number', default = 2 } }"))
    #expect(loaded.name == "p" && loaded.version == "1.0.0" && loaded.kind == .reward)
    #expect(loaded.description == "for a test")
    #expect(loaded.schema.declarations.map(\.name) == ["factor"])
    #expect(Value.table(loaded.options) == ["factor": 2])
    #expect(try loaded.score(["completion": "abc"]).value == 6)
  }

  @Test(arguments: [
    ("return 1", "HERE/p/init.lua: a plugin returns a table, not an integer"),
    ("x = = 1", "HERE/p/init.lua:1: unexpected symbol near '='"),
    ("\nerror('out of order')", "HERE/p/init.lua:2: out of order"),
    ("return { name = 'p' }", "option 'version' is missing"),
    (reward("") + ", 1", "no error"),
    (reward("").replacing("\"p\"", with: "\"q\""), "must be 'p', the name of its folder"),
    (reward("").replacing("reward", with: "judge"), "option 'kind' must be one of 'reward', 'curriculum', 'schedule'"),
    (reward("").replacing("score", with: "weight"), "has one function, score or score_batch; found weight"),
    (reward("").replacing("score =", with: "score_batch = print, score ="), "found score and score_batch"),
    (reward("").replacing("score =", with: "scored ="), "unknown option 'scored' (did you mean 'score'?)"),
    (reward("", options: "{ n = { type = 'numeral' } }"), "declaration of option 'n': option 'type' must be one of"),
    (reward("", options: "{ n = { type = 'integer', default = 1.5 } }"), "default: option 'n' must be an integer"),
    (reward("").replacing("1.0.0", with: ""), "option 'version' must not be empty"),
  ])
  func aManifestIsChecked(_ text: String, _ expected: String) throws {
    let found = message { try plugin(text) }
    #expect(found.contains(expected), "\(found)")
  }

  @Test func optionsAreChecked() throws {
    let text = reward(
      "return 0",
      options: """
        { n = { type = 'integer', min = 1, max = 3 }, mode = { type = 'string', choices = { 'a', 'b' }, default = 'a' },
          must = { type = 'boolean', required = true }, list = { type = 'array', default = {} } }
        """)
    func found(_ options: Value) -> String { message { try plugin(text, options: options.table ?? Table()) } }
    #expect(found(["must": true, "n": 2]) == "no error")
    #expect(found(["n": 2]) == "plugin 'p': option 'must' is missing: true or false is required")
    #expect(found(["must": true, "m": 2]) == "plugin 'p': unknown option 'm' (did you mean 'n'?)")
    #expect(found(["must": true, "n": 4]) == "plugin 'p': option 'n' must be between 1 and 3, not 4")
    #expect(found(["must": true, "n": "2"]) == "plugin 'p': option 'n' must be an integer, not a string")
    #expect(found(["must": true, "mode": "c"]).contains("option 'mode' must be one of 'a', 'b', not 'c'"))
  }

  @Test(arguments: [
    ("return 'high'", "reward plugin 'p': score returned a string, not a finite number or nil"),
    ("return 0/0", "score returned -nan"), ("return 1/0", "score returned inf"), ("return true", "returned a boolean"),
    ("return {}", "returned a table"), ("return print", "returned a function"),
  ])
  func aResultThatIsNoNumberIsAnError(_ body: String, _ expected: String) throws {
    let loaded = try plugin(reward(body))
    let found = message { try loaded.score([:]) }
    #expect(found.replacing("-nan", with: "nan").contains(expected.replacing("-nan", with: "nan")), "\(found)")
  }

  @Test func nilDoesNotApply() throws {
    #expect(try plugin(reward("return nil")).score([:]).value == nil)
    #expect(try plugin(reward("")).score([:]).value == nil)
  }

  @Test func eachCallGetsItsOwnCopies() throws {
    let loaded = try plugin(
      reward(
        """
        local seen = sample.row.n + options.list[1]
        sample.row.n, options.list[1], sample.row.extra = 100, 100, {}
        return seen
        """, options: "{ list = { type = 'array', default = { 5 } } }"))
    let sample: Value = ["row": ["n": 1]]
    #expect(try loaded.score(sample).value == 6)
    #expect(try loaded.score(sample).value == 6)
    #expect(sample == ["row": ["n": 1]])
  }

  @Test func batchesMayHaveHoles() throws {
    func batch(_ body: String) throws -> Plugin {
      try plugin(reward(body).replacing("score = function(sample,", with: "score_batch = function(samples,"))
    }
    let samples: [Value] = [["n": 1], ["n": 2], ["n": 3]]
    let odd = try batch("local r = {} for i, s in ipairs(samples) do if s.n % 2 == 1 then r[i] = s.n end end return r")
    #expect(try odd.values(samples) == [1, nil, 3])
    #expect(try odd.score(["n": 2]).value == nil)
    #expect(try odd.values([]) == [])
    #expect(try batch("for i = 1, #samples do samples[i] = nil end return {}").values(samples) == [nil, nil, nil])
    #expect(message { try batch("return { 1, 2, 3, 4 }").values(samples) }.contains("it has the key '4'"))
    #expect(message { try batch("return { 1, 2, 'x' }").values(samples) }.contains("score_batch returned a string"))
    #expect(
      message { try batch("return 1").values(samples) }.contains("returned 1, not an array with a finite number or nil")
    )
    let single = try plugin(reward("return sample.n"))
    #expect(try single.values(samples) == [1, 2, 3])
  }

  /// A sample that fails does not take its batch along, but one that takes too long is not asked for again.
  @Test func aFailedBatchIsAskedForOneByOneButNotAfterATimeout() throws {
    func scores(_ body: String) throws -> [Result<RewardScore, any Error>] {
      let text = "if #samples > 1 then \(body) end return { samples[1].ids[1] }"
      let batch = try plugin(
        reward(text).replacing("score = function(sample,", with: "score_batch = function(samples,"),
        limits: Sandbox.Limits(seconds: 0.2))
      return batch.score(
        (1...3).map {
          RewardSample(
            prompt: nil, completion: nil, reference: nil, promptIDs: [1], ids: [$0], finishReason: .length,
            row: Table(),
            step: 1, isReference: false)
        })
    }
    #expect(try scores("error('no')").map { try $0.get().value } == [1, 2, 3])
    for result in try scores("while true do end") {
      let error = try #require(throws: LuaError.self) { try result.get() }
      #expect(error.kind == .time)
    }
  }

  /// An error without a position names the plugin.
  @Test(arguments: ["error({})", "coroutine.yield(1)", "local t = {} t.a = t return 1, t", "return require('../p')"])
  func errorsWithoutAPositionNameThePlugin(_ body: String) throws {
    let loaded = try plugin(reward(body))
    let text = message { try loaded.score([:]) }
    #expect(text.hasPrefix("plugin 'p': ") || text.contains("/p/init.lua:4: "), "\(text)")
  }

  @Test func errorsOfAPluginHaveItsPathAndLine() throws {
    let folder = try TemporaryFolder()
    try folder.write(reward("\n  return sample.none.x"), to: "p/init.lua")
    let loaded = try Plugin(folder: folder.path + "/p")
    #expect(
      message { try loaded.score([:]) }
        == "\(folder.path)/p/init.lua:3: attempt to index a nil value (field 'none')")
    #expect(try plugin(reward("return pcall(error) and 1 or 2")).score([:]).value == 2)
  }

  @Test func curriculaAndSchedulesGiveNumbers() throws {
    let head = "name = 'p', version = '1', description = 'd'"
    let curriculum = try plugin(
      "return { \(head), kind = 'curriculum', weight = function(r, s, o) return r.w - s.step end }")
    #expect(try curriculum.weight(row: ["w": 3], state: ["step": 1]) == 2)
    #expect(
      message { try curriculum.weight(row: ["w": 0], state: ["step": 1]) }
        == "curriculum plugin 'p': weight returned -1, not a finite number of at least 0")
    let schedule = try plugin("return { \(head), kind = 'schedule', value = function(s, o) return s.v end }")
    #expect(try schedule.value(state: ["v": -0.5]) == -0.5)
    #expect(
      message { try schedule.value(state: [:]) } == "schedule plugin 'p': value returned nil, not a finite number")
    #expect(
      message { try schedule.score([:]) } == "plugin 'p' is a schedule, and cannot be used as a reward")
  }

  @Test func aTimeOutEndsTheCallAndThePluginStartsAfresh() throws {
    let body = "calls = (calls or 0) + 1 if sample.hang then while true do end end return calls"
    let loaded = try plugin(reward(body), limits: Sandbox.Limits(seconds: 0.1))
    #expect(try loaded.score([:]).value == 1)
    #expect(try loaded.score([:]).value == 2)
    let error = #expect(throws: LuaError.self) { try loaded.score(["hang": true]) }
    #expect(error?.kind == .time)
    #expect(
      error?.message.hasSuffix("p/init.lua:2: the time limit of 0.1 s is over") == true, "\(error?.message ?? "")")
  }

  @Test func aPluginLoadsAnewAfterItsLimit() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      reward("calls = (calls or 0) + 1 if sample.eat then sample = ('x'):rep(1 << 24) end return calls"),
      to: "p/init.lua")
    let loaded = try Plugin(folder: folder.path + "/p", limits: Sandbox.Limits(megabytes: 4))
    #expect(try loaded.score([:]).value == 1)
    let error = #expect(throws: LuaError.self) { try loaded.score(["eat": true]) }
    #expect(error?.kind == .memory)
    #expect(error?.message == "\(folder.path)/p/init.lua: plugin 'p' needs more than its 4 MB of memory")
    #expect(try loaded.score([:]).value == 1)
  }

  @Test func whatAPluginIsGivenCountsAsItsMemory() throws {
    let loaded = try plugin(reward("return 1"), limits: Sandbox.Limits(megabytes: 4))
    let error = #expect(throws: LuaError.self) {
      try loaded.score(["text": .string(String(repeating: "x", count: 5 << 20))])
    }
    #expect(error?.kind == .memory)
  }

  @Test func loadingHasLimitsToo() throws {
    #expect(message { try plugin("while true do end", limits: Sandbox.Limits(seconds: 0.1)) }.contains("time limit"))
    #expect(
      message { try plugin("x = ('x'):rep(1 << 24)", limits: Sandbox.Limits(megabytes: 4)) }
        .contains("plugin 'p' needs more than its 4 MB"))
    #expect(
      message { try plugin(reward("return 1"), limits: Sandbox.Limits(seconds: 0)) }.contains(
        "limits must be more than 0"))
  }

  @Test func requireFindsOnlyThePluginsOwnFiles() throws {
    let head = "local m = require '%' "
    func found(_ module: String, files: [String: String] = [:]) -> String {
      message { try plugin(head.replacing("%", with: module) + reward("return m.n"), files: files).score([:]) }
    }
    let files = [
      "p/own.lua": "return { n = 1 }", "p/a/b.lua": "return { n = 2 }", "p/c/init.lua": "return { n = 3 }",
      "p/broken.lua": "\nx = = 1", "p/loop.lua": "local x = require 'loop' return x", "outside.lua": "return {}",
    ]
    for module in ["own", "a.b", "c"] { #expect(found(module, files: files) == "no error") }
    #expect(found("none", files: files) == "HERE/p/init.lua:1: require: no module 'none' in the plugin's folder")
    #expect(found("broken", files: files) == "HERE/p/broken.lua:2: unexpected symbol near '='")
    #expect(
      found("loop", files: files).contains("HERE/p/loop.lua:1: require: module 'loop' failed before, or requires"))
    for name in ["../outside", "..outside", "/etc/passwd", "", "a..b", ".own", "own.", "a/b", "a\\0b"] {
      #expect(found(name, files: files).contains("is not the name of a module"), "\(name)")
    }
  }

  @Test func requireDoesNotFollowLinksOutOfTheFolder() throws {
    let folder = try TemporaryFolder()
    try folder.write("return { n = 1 }", to: "outside.lua")
    try folder.write("return { n = 2 }", to: "p/inside.lua")
    for (link, target) in [("out", "../outside.lua"), ("in", "inside.lua")] {
      try FileManager.default.createSymbolicLink(
        atPath: folder.path + "/p/\(link).lua", withDestinationPath: target)
    }
    try folder.write("local m = require 'in' " + reward("return m.n"), to: "p/init.lua")
    #expect(try Plugin(folder: folder.path + "/p").score([:]).value == 2)
    try folder.write("local m = require 'out' " + reward("return m.n"), to: "p/init.lua")
    #expect(
      message { try Plugin(folder: folder.path + "/p") }.contains("module 'out' leads out of the plugin's folder"))
  }

  @Test func randomNumbersFollowTheSeed() throws {
    func draw(_ seed: Int) throws -> [Double?] {
      let loaded = try plugin(reward("return math.random()"), seed: seed)
      return [try loaded.score([:]).value, try loaded.score([:]).value]
    }
    #expect(try draw(3) == draw(3))
    #expect(try draw(3) != draw(4))
  }

  @Test func thePathIsSearchedInOrder() throws {
    let folder = try TemporaryFolder()
    for place in ["given", "environment", "script/plugins"] {
      try folder.write(reward("return '\(place)'"), to: "\(place)/p/init.lua")
    }
    try folder.write(reward("").replacing("\"p\"", with: "\"only\""), to: "script/plugins/only/init.lua")
    func path(_ given: [String], _ environment: String?) -> PluginPath {
      PluginPath(
        given: given.map { folder.path + "/" + $0 }, environment: environment.map { folder.path + "/" + $0 },
        scriptFolder: folder.path + "/script")
    }
    #expect(try Plugin("p", on: path(["given"], "environment")).folder == folder.path + "/given/p")
    #expect(try Plugin("p", on: path([], "environment:/none")).folder == folder.path + "/environment/p")
    #expect(try Plugin("p", on: path([], nil)).folder == folder.path + "/script/plugins/p")
    #expect(try Plugin("only", on: path(["given"], "")).folder == folder.path + "/script/plugins/only")
    #expect(try Plugin("exact_match", on: path([], nil)).name == "exact_match")
    let missing = message { try Plugin("exact_macht", on: path(["given"], nil)) }
    #expect(
      missing.hasPrefix("no plugin 'exact_macht' (did you mean 'exact_match'?); looked in \(folder.path)/given, "))
    for name in ["", "../p", "/p", "p/", "á"] {
      #expect(message { try Plugin(name, on: path(["given"], nil)) }.contains("is not a plugin's name"))
    }
  }
}
