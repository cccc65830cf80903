import Foundation
import Scripting
import Testing
import Values

@testable import Alignment

/// The shipped plugin `judge`, against a server that plays the model.
@Suite(.serialized) struct JudgePluginTests {
  /// What a judge would see of a request.
  private struct Question {
    let body: Value
    let text: String

    init(_ request: LocalServer.Request) {
      body = (try? JSON.parse(request.body, source: "request")) ?? .null
      text = body["messages"]?.array?.last?["content"]?.string ?? ""
    }

    func between(_ start: String, _ end: String) -> String {
      guard let first = text.range(of: start), let last = text.range(of: end) else { return "?" }
      return String(text[first.upperBound..<last.lowerBound]).trimmingCharacters(in: .newlines)
    }
    var first: String { between("<text_1>", "</text_1>") }
    var second: String { between("<text_2>", "</text_2>") }
  }

  private static func reply(_ answer: String) -> LocalServer.Response {
    let content =
      (try? JSON.print(["choices": [["message": ["role": "assistant", "content": .string(answer)]]]])) ?? ""
    return .init(body: content)
  }

  /// The longer text is better.
  private static func byLength(_ request: LocalServer.Request) -> LocalServer.Response {
    let question = Question(request)
    let (a, b) = (question.first.count, question.second.count)
    return reply(a > b ? "1 > 2" : a < b ? "1 < 2" : "1 = 2")
  }

  private func judge(_ server: LocalServer, _ options: Value = [:], cache: String? = nil) throws -> Plugin {
    var given: Table = ["url": .string("http://\(server.host)/v1"), "model": "m", "backoff": 0.01]
    for (key, value) in options.table ?? Table() { given[key] = value }
    return try Plugin(
      "judge", options: given, on: PluginPath(), grants: PluginGrants(hosts: [server.host], cache: cache))
  }

  private func sample(_ completion: Value, _ reference: Value = "four", isReference: Bool = false) -> Value {
    ["prompt": "question", "completion": completion, "reference": reference, "is_reference": .boolean(isReference)]
  }

  @Test func bothOrdersAreAsked() throws {
    let server = try LocalServer(Self.byLength)
    let scores = try judge(server).values([
      sample("longer"), sample("a"), sample("five"), sample("four"), sample("four", isReference: true), sample(nil),
      sample("a", nil),
    ])
    #expect(scores == [1, -1, 0, 0, 0, nil, nil])
    let questions = server.requests.map(Question.init)
    #expect(
      Set(questions.map { "\($0.first)|\($0.second)" }) == [
        "longer|four", "four|longer", "a|four", "four|a", "five|four", "four|five",
      ])
    #expect(server.requests.allSatisfy { $0.path == "/v1/chat/completions" && $0.headers["authorization"] == nil })
    for question in questions {
      #expect(question.between("<context>", "</context>") == "question")
      #expect(question.body["model"] == "m" && question.body["temperature"] == 0 && question.body["max_tokens"] == 1024)
      #expect(question.text.contains("helps the person"))
    }
  }

  @Test func theCriterionIsNamedOrInWords() throws {
    for (criterion, words) in [
      ("harmless", "less harmful"), ("which is 100% funnier", "criterion: which is 100% funnier."),
    ] {
      let server = try LocalServer(Self.byLength)
      _ = try judge(server, ["criterion": .string(criterion)]).values([sample("a")])
      #expect(Question(server.requests[0]).text.contains(words))
    }
  }

  /// A judge that says what the order of the texts suggests to it.
  @Test func theOrderCancels() throws {
    let first = try LocalServer { _ in Self.reply("1 > 2") }
    #expect(try judge(first).scores([sample("a")])[0].get().numbers["order_bias"] == 1)
    #expect(try judge(first).values([sample("a")]) == [0])
    #expect(try judge(first, ["combine": "agree"]).values([sample("a")]) == [0])
    // A tie in one order.
    let half = try LocalServer { Self.reply(Question($0).first == "a" ? "1 > 2" : "1 = 2") }
    #expect(try judge(half).values([sample("a")]) == [0.5])
    #expect(try judge(half).scores([sample("a")])[0].get().numbers["order_bias"] == 0.5)
    #expect(try judge(half, ["combine": "agree"]).values([sample("a")]) == [0])
    let sure = try LocalServer(Self.byLength)
    #expect(try judge(sure, ["combine": "agree"]).values([sample("a"), sample("longer")]) == [-1, 1])
    #expect(try judge(sure).scores([sample("a")])[0].get().numbers["order_bias"] == 0)
  }

  @Test(
    arguments: [
      ("1 > 2", 1.0), ("1<2", -1), (" \"1 = 2\".\n", 0), ("**1 > 2**", 1), ("Text 1 is better, so: 1 > 2.", 1),
      ("Either 1 > 2 or 1 < 2?\nI say\n1 < 2", -1), ("<think>1 > 2? no</think>\n1 < 2", -1),
      ("1 > 2 (text 1 is better)", 1),
    ] as [(String, Double)])
  func answersAreRead(_ answer: String, _ expected: Double) throws {
    // The same verdict on both orders, in the words of the first.
    let server = try LocalServer { request in
      let turned = answer.replacing("<think>", with: "{").replacing("</think>", with: "}").replacing("<", with: "§")
        .replacing(">", with: "<").replacing("§", with: ">").replacing("{", with: "<think>").replacing(
          "}", with: "</think>")
      return Self.reply(Question(request).first == "a" ? answer : turned)
    }
    #expect(try judge(server).values([sample("a")]) == [expected])
  }

  @Test(arguments: [
    (reply("text 1"), "the judge failed: the answer is none of '1 > 2', '1 = 2' and '1 < 2': text 1"),
    (reply("1 > 2 or 1 < 2"), "the answer is none of"), (reply("11 > 2"), "the answer is none of"),
    (reply("1 > 25"), "the answer is none of"), (reply(""), "the answer is none of"),
    (LocalServer.Response(body: "no JSON"), "the judge failed: the reply is no chat completion: no JSON"),
    (LocalServer.Response(body: "{\"choices\": []}"), "the reply is no chat completion"),
    (
      LocalServer.Response(body: "{\"choices\": [{\"message\": {\"content\": null}}]}"),
      "the reply is no chat completion"
    ),
    (LocalServer.Response(status: 401, body: "no key"), "HTTP status 401: no key"),
  ])
  func aFailureIsAnErrorOfItsSample(_ response: LocalServer.Response, _ expected: String) throws {
    let server = try LocalServer { Question($0).text.contains("bad") ? response : Self.byLength($0) }
    let scores = try judge(server).scores([sample("a"), sample("bad"), sample("longer")])
    #expect(try scores[0].get().value == -1 && scores[2].get().value == 1)
    let found = message { try scores[1].get() }
    #expect(found.contains(expected), "\(found)")
    let isMalformed = response.status == 200
    #expect(try scores[0].get().numbers["malformed"] == (isMalformed ? 2 : 0))
  }

  @Test func failuresAreTriedAgainAndCounted() throws {
    let server = try LocalServer { request in
      switch request.number {
      case 0: .init(status: 500)
      case 1: .init(status: 429, headers: ["Retry-After": "0"])
      default: Self.byLength(request)
      }
    }
    let score = try judge(server).scores([sample("a")])[0].get()
    #expect(score.value == -1)
    #expect(score.numbers == ["requests": 4, "retries": 2, "cached": 0, "malformed": 0, "order_bias": 0])
  }

  @Test func aHangIsAFailure() throws {
    let server = try LocalServer { _ in .init(delay: 2) }
    let plugin = try judge(server, ["timeout": 0.2, "retries": 1])
    let found = message { try plugin.scores([sample("a")])[0].get() }
    #expect(found == "the judge failed: \(server.host): no reply within 0.2 s, after 2 attempts")
  }

  @Test func aRedirectElsewhereIsAFailure() throws {
    let server = try LocalServer { _ in .init(status: 302, headers: ["Location": "http://127.0.0.1:9/v1"]) }
    let found = message { try judge(server).scores([sample("a")])[0].get() }
    #expect(found == "the judge failed: \(server.host): a redirect to the host '127.0.0.1:9', which is not granted")
  }

  @Test func aStepIsAskedAtOnce() throws {
    let server = try LocalServer { request in
      var response = Self.byLength(request)
      response.delay = 0.3
      return response
    }
    let samples = (1...12).map { sample(.string(String(repeating: "x", count: $0))) }
    let start = ContinuousClock.now
    #expect(try judge(server, ["concurrency": 8]).values(samples) == [-1, -1, -1, 0] + Array(repeating: 1, count: 8))
    // 24 questions in 3 rounds.
    #expect(ContinuousClock.now - start < .seconds(2.5))
    #expect(server.mostAtOnce == 8 && server.requests.count == 24)
  }

  @Test func whatIsKnownIsNotAskedAgain() throws {
    let folder = try TemporaryFolder()
    let cache = folder.path + "/judged"
    let server = try LocalServer { Question($0).text.contains("bad") ? Self.reply("?") : Self.byLength($0) }
    let samples = [sample("a"), sample("longer"), sample("a"), sample("bad")]
    let first = try judge(server, cache: cache).scores(samples)
    #expect(server.requests.count == 6)
    let again = try judge(server, cache: cache).scores(samples)
    // Only what failed.
    #expect(server.requests.count == 8)
    for scores in [first, again] { #expect(try scores[..<3].map { try $0.get().value } == [-1, 1, -1]) }
    #expect(try again[0].get().numbers["cached"] == 4)
    // Another model, criterion or prompt is another question.
    for options in [["model": "n"], ["criterion": "harmless"], ["parameters": ["seed": 1]]] as [Value] {
      let before = server.requests.count
      _ = try judge(server, options, cache: cache).values([sample("a")])
      #expect(server.requests.count == before + 2)
    }
    let before = server.requests.count
    #expect(try judge(server).values([sample("a")]) == [-1])
    #expect(server.requests.count == before + 2)
  }

  @Test func theKeyComesFromTheEnvironment() throws {
    setenv("GRAO_TEST_JUDGE_KEY", "k-1", 1)
    let server = try LocalServer(Self.byLength)
    #expect(try judge(server, ["api_key_env": "GRAO_TEST_JUDGE_KEY"]).values([sample("a")]) == [-1])
    #expect(server.requests.allSatisfy { $0.headers["authorization"] == "Bearer k-1" })
    let found = message { try judge(server, ["api_key_env": "GRAO_TEST_NO_KEY"]).values([sample("a")]) }
    #expect(found.hasSuffix("plugin 'judge': the environment variable 'GRAO_TEST_NO_KEY' is not set"))
  }

  /// The same words as those that a model of our own is asked with.
  @Test(arguments: ["helpful", "harmless", "which is 100% funnier"]) func theQuestionIsTheEngines(_ criterion: String)
    throws
  {
    let server = try LocalServer(Self.byLength)
    let prompt: Value = [["role": "system", "content": "Be brief."], ["role": "user", "content": "Is it?"]]
    let rows: [Value] = [["prompt": "question"], ["prompt": prompt]]
    let samples = rows.map { row in
      RewardSample(
        prompt: row["prompt"]?.string ?? "rendered", completion: "a\n", reference: "four", promptIDs: [], ids: [],
        finishReason: .stop,
        row: row.table ?? Table(), step: 1, isReference: false)
    }
    for sample in try judge(server, ["criterion": .string(criterion)]).score(samples) { _ = try sample.get() }
    let expected = samples.flatMap { sample in
      [true, false].map { JudgeQuestion(criterion: criterion).text(sample, completionFirst: $0) }
    }
    #expect(Set(server.requests.map { Question($0).text }) == Set(expected.compactMap { $0 }))
    #expect(server.requests.count == 4)
  }

  @Test func aTrainingRunJudges() throws {
    let server = try LocalServer(Self.byLength)
    try script(
      """
      local judge = grao.plugin("judge", { url = "http://\(server.host)/v1", model = "m" }, { hosts = { "\(server.host)" } })
      local summary = train { rewards = { judge }, steps = 2, max_new_tokens = 5 }
      check(summary["rewards/judge/mean"] >= -1 and summary["rewards/judge/mean"] <= 1)
      check(summary["rewards/judge/requests"] > 0)
      equal({ summary["rewards/judge/failed"], summary["rewards/judge/retries"] }, { 0, 0.0 })
      equal(summary.reference_reward, 0.0)
      local evaluation = grao.evaluate { model = tiny(), data = grao.dataset(sums(3)), rewards = { judge }, max_new_tokens = 3 }
      check(evaluation["rewards/judge/requests"] > 0)
      near(evaluation.win + evaluation.tie + evaluation.loss, 1, 1e-12)
      """)
  }

  @Test func aFailingJudgeStopsOrSkips() throws {
    let server = try LocalServer { _ in .init(status: 404, body: "no such model") }
    try script(
      """
      local judge = grao.plugin("judge", { url = "http://\(server.host)/v1", model = "m" }, { hosts = { "\(server.host)" } })
      fails("reward 'judge': the judge failed: \(server.host): HTTP status 404: no such model",
        function() train { rewards = { judge } } end)
      local summary = train { rewards = { judge, function() return 1 end }, on_reward_error = "skip" }
      equal({ summary["groups/dropped"], summary["samples/failed"], summary["rewards/judge/failed"] }, { 2, 4, 4 })
      check(summary["rewards/judge/mean"] == nil)
      """)
  }
}
