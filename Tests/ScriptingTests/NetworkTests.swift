import Foundation
import Scripting
import Testing
import Values

/// What a plugin can do with the network, against a server of the test's own.
@Suite(.serialized) struct NetworkTests {
  /// A plugin whose reward posts to `url` and returns what `body` makes of `reply`.
  private func poster(
    _ body: String, _ server: LocalServer, policy: String = "{ backoff = 0.01 }", hosts: [String]? = nil,
    limits: Sandbox.Limits = Sandbox.Limits(), networkSeconds: Double = 20, options: Table = Table(),
    request: String = ""
  ) throws -> Plugin {
    let folder = try TemporaryFolder()
    try folder.write(
      """
      return { name = "p", version = "1.0.0", kind = "reward",
        options = { secret = { type = "string" }, other = { type = "string", default = "GRAO_TEST_OTHER" } },
        score = function(sample, options)
          local reply = http.post({ { url = sample.url, body = "hello", \(request) } }, \(policy))[1]
          \(body)
        end }
      """, to: "p/init.lua")
    return try Plugin(
      folder: folder.path + "/p", options: options, limits: limits,
      grants: PluginGrants(hosts: hosts ?? [server.host], networkSeconds: networkSeconds))
  }

  private func url(_ server: LocalServer, _ path: String = "/x") -> Value {
    ["url": .string("http://\(server.host)\(path)")]
  }

  @Test func aReplyComesBack() throws {
    let server = try LocalServer { request in
      .init(status: 201, body: request.path + " " + request.body + " " + (request.headers["content-type"] ?? ""))
    }
    let plugin = try poster(
      "assert(reply.body == '/x hello application/json', reply.body) assert(not reply.error) return reply.status",
      server)
    #expect(try plugin.score(url(server)).value == 201)
    #expect(server.requests.count == 1)
  }

  @Test(arguments: [[], ["127.0.0.1"], ["127.0.0.1:1"], ["localhost"]])
  func aHostThatIsNotGrantedIsNamed(_ hosts: [String]) throws {
    let server = try LocalServer { _ in .init() }
    let plugin = try poster("return 0", server, hosts: hosts)
    let found = message { try plugin.score(url(server)) }
    #expect(
      found.contains("init.lua:4: plugin 'p' may not reach the host '\(server.host)': its script grants that with "))
    #expect(found.contains("{ hosts = { \"\(server.host)\" } }"))
    #expect(server.requests.isEmpty)
  }

  @Test(arguments: [
    "ftp://127.0.0.1/", "127.0.0.1", "http://", "http://a b/", "http://granted\\@127.0.0.1/", "/x", "http://ü/",
  ])
  func otherURLsAreRefused(_ text: String) throws {
    let server = try LocalServer { _ in .init() }
    let plugin = try poster("return 0", server)
    #expect(message { try plugin.score(["url": .string(text)]) }.contains("is not the URL of an HTTP server"))
    let user = message { try plugin.score(["url": .string("http://\(server.host)@evil.example/")]) }
    #expect(user.contains("a URL with a user or a password in it is not accepted"))
  }

  @Test func grantsAreHosts() throws {
    for host in ["http://a", "a/b", "a:b", "a:1:2", "", "a b", "[::1", "a:0", "a:65536", "[::1]:99999"] {
      #expect(message { try PluginGrants(hosts: [host]) }.hasPrefix("'\(host)' is not a host: "), "\(host)")
    }
    #expect(
      message { try PluginGrants(hosts: ["[::1]:80", "[::1]", "Example.org", "a_b-c.d:65535"]) } == "no error")
  }

  @Test func aTransientStatusIsTriedAgain() throws {
    let server = try LocalServer { .init(status: [500, 408, 200][min($0.number, 2)]) }
    #expect(try poster("return reply.attempts", server).score(url(server)).value == 3)
  }

  @Test func triesEnd() throws {
    let server = try LocalServer { _ in .init(status: 503, body: "over\n loaded") }
    let plugin = try poster(
      "error(reply.error .. reply.status .. reply.body, 0)", server, policy: "{ retries = 2, backoff = 0.01 }")
    #expect(
      message { try plugin.score(url(server)) }
        == "plugin 'p': \(server.host): HTTP status 503: over loaded, after 3 attempts503over\n loaded")
    #expect(server.requests.count == 3)
  }

  @Test func anotherStatusIsNot() throws {
    let server = try LocalServer { _ in .init(status: 401, body: "no key") }
    let plugin = try poster("error(reply.error, 0)", server)
    #expect(message { try plugin.score(url(server)) } == "plugin 'p': \(server.host): HTTP status 401: no key")
    #expect(server.requests.count == 1)
  }

  @Test func theWaitsDouble() throws {
    let server = try LocalServer { .init(status: $0.number < 4 ? 500 : 200) }
    let plugin = try poster("return reply.attempts", server, policy: "{ backoff = 0.08 }")
    let start = ContinuousClock.now
    #expect(try plugin.score(url(server)).value == 5)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    // 0.08 + 0.16 + 0.32 + 0.64, each at least by half.
    #expect(seconds > 0.6, "\(seconds)")
  }

  @Test func retryAfterIsHeard() throws {
    let server = try LocalServer { request in
      .init(status: request.number == 0 ? 429 : 200, headers: request.number == 0 ? ["Retry-After": "1"] : [:])
    }
    let start = ContinuousClock.now
    #expect(try poster("return reply.attempts", server).score(url(server)).value == 2)
    #expect(ContinuousClock.now - start >= .seconds(1))
    let forever = try LocalServer { _ in .init(status: 429, headers: ["Retry-After": "3600"]) }
    let found = message { try poster("error(reply.error, 0)", forever).score(url(forever)) }
    #expect(
      found
        == "plugin 'p': \(forever.host): HTTP status 429; the next attempt is due in 3600 s, and the time ends before")
  }

  @Test func aHangEnds() throws {
    let server = try LocalServer { _ in .init(delay: 3) }
    let plugin = try poster("error(reply.error, 0)", server, policy: "{ retries = 1, timeout = 0.2, backoff = 0.01 }")
    let start = ContinuousClock.now
    #expect(
      message { try plugin.score(url(server)) }
        == "plugin 'p': \(server.host): no reply within 0.2 s, after 2 attempts")
    #expect(ContinuousClock.now - start < .seconds(2))
  }

  @Test func allWaitingOfACallEnds() throws {
    let server = try LocalServer { _ in .init(delay: 3) }
    let plugin = try poster("error(reply.error, 0)", server, networkSeconds: 0.3)
    let start = ContinuousClock.now
    let expected = "plugin 'p': \(server.host): the 0.3 s that a plugin may wait for the network are over"
    #expect(message { try plugin.score(url(server)) } == expected)
    #expect(ContinuousClock.now - start < .seconds(2))
    // The next call has its time again.
    #expect(message { try plugin.score(url(server)) } == expected)
  }

  @Test func waitingIsNotThePluginsTime() throws {
    let server = try LocalServer { _ in .init(delay: 0.5) }
    let limits = Sandbox.Limits(seconds: 0.25)
    // The clock is read as the plugin goes on.
    let work = "for i = 1, 10000 do tostring(i) end "
    #expect(try poster(work + "return reply.status", server, limits: limits).score(url(server)).value == 200)
    let endless = try poster("while true do end", server, limits: limits)
    #expect(message { try endless.score(url(server)) }.contains("the time limit of 0.25 s is over"))
  }

  @Test func noServerIsAnError() throws {
    let port = try LocalServer { _ in .init() }.port
    let server = try LocalServer { _ in .init(isAbsent: true) }
    let gone: Value = ["url": .string("http://127.0.0.1:\(port)/")]
    let plugin = try poster(
      "error(reply.error, 0)", server, policy: "{ retries = 1, backoff = 0.01 }",
      hosts: ["127.0.0.1:\(port)", server.host])
    #expect(message { try plugin.score(gone) }.hasPrefix("plugin 'p': 127.0.0.1:\(port): "))
    #expect(message { try plugin.score(url(server)) }.hasSuffix(", after 2 attempts"))
    #expect(server.requests.count == 2)
  }

  @Test func redirectsGoToGrantedHosts() throws {
    let goal = try LocalServer { request in .init(body: request.body + (request.headers["authorization"] ?? "")) }
    let place = "http://\(goal.host)/y"
    setenv("GRAO_TEST_KEY", "s3cret", 1)
    for status in [301, 302, 307, 308] {
      let server = try LocalServer { request in
        request.path == "/x"
          ? .init(status: status, headers: ["Location": "/again"])
          : .init(status: status, headers: ["Location": place])
      }
      func moved(_ hosts: [String], _ body: String) throws -> Plugin {
        try poster(body, server, hosts: hosts, options: ["secret": "GRAO_TEST_KEY"], request: "key = options.secret")
      }
      // The body goes along, the key does not.
      let plugin = try moved(
        [server.host, goal.host], "assert(reply.body == 'hello', reply.body) return reply.attempts")
      #expect(try plugin.score(url(server)).value == 3)
      #expect(server.requests.map { $0.headers["authorization"] } == ["Bearer s3cret", "Bearer s3cret"])
      let found = message { try moved([server.host], "error(reply.error, 0)").score(url(server)) }
      let refusal = "a redirect to the host '\(goal.host)', which is not granted, after 2 attempts"
      #expect(found == "plugin 'p': \(server.host): \(refusal)")
    }
    #expect(goal.requests.count == 4)
  }

  @Test func redirectsEnd() throws {
    let server = try LocalServer { _ in .init(status: 307, headers: ["Location": "/x"]) }
    let found = message { try poster("error(reply.error, 0)", server).score(url(server)) }
    #expect(found == "plugin 'p': \(server.host): more than 5 redirects, after 6 attempts")
    let lost = try LocalServer { _ in .init(status: 307) }
    #expect(message { try poster("error(reply.error, 0)", lost).score(url(lost)) }.contains("a redirect without a URL"))
  }

  @Test func keysAreThoseThatTheScriptNames() throws {
    setenv("GRAO_TEST_KEY", "s3cret", 1)
    setenv("GRAO_TEST_OTHER", "other", 1)
    let server = try LocalServer { request in
      .init(status: 403, body: "wrong key " + (request.headers["authorization"] ?? "none"))
    }
    func found(_ option: String, _ options: Table = ["secret": "GRAO_TEST_KEY"]) -> String {
      message {
        try poster("error(reply.error, 0)", server, options: options, request: "key = options.\(option)").score(
          url(server))
      }
    }
    #expect(found("secret") == "plugin 'p': \(server.host): HTTP status 403: wrong key Bearer …")
    #expect(server.requests[0].headers["authorization"] == "Bearer s3cret")
    // The plugin's own default is not the script's word.
    #expect(found("other").contains("may not send the environment variable 'GRAO_TEST_OTHER': no option of it names"))
    #expect(
      found("secret", ["secret": "GRAO_TEST_NONE"])
        .hasSuffix("plugin 'p': the environment variable 'GRAO_TEST_NONE' is not set"))
    #expect(found("secret", [:]) == "plugin 'p': \(server.host): HTTP status 403: wrong key none")
  }

  @Test func aReplyHasABound() throws {
    let server = try LocalServer { _ in .init(body: String(repeating: "x", count: 5 << 20)) }
    let plugin = try poster("error(reply.error, 0)", server, policy: "{ retries = 0 }")
    #expect(message { try plugin.score(url(server)) } == "plugin 'p': \(server.host): its reply is larger than 4 MiB")
  }

  @Test func requestsRunAtOnce() throws {
    let server = try LocalServer { _ in .init(delay: 0.3) }
    let folder = try TemporaryFolder()
    try folder.write(
      reward(
        """
        local requests = {}
        for i = 1, 12 do requests[i] = { url = sample.url, body = tostring(i) } end
        local replies = http.post(requests, { concurrency = 6 })
        for i = 1, 12 do assert(replies[i].status == 200) end
        return #replies
        """), to: "p/init.lua")
    let plugin = try Plugin(folder: folder.path + "/p", grants: PluginGrants(hosts: [server.host]))
    let start = ContinuousClock.now
    #expect(try plugin.score(url(server)).value == 12)
    #expect(ContinuousClock.now - start < .seconds(2.4))
    #expect(server.mostAtOnce == 6)
  }

  @Test func anInterruptEndsTheWait() throws {
    let server = try LocalServer { _ in .init(delay: 3) }
    let plugin = try poster("return 0", server)
    Thread.detachNewThread {
      Thread.sleep(forTimeInterval: 0.2)
      Interruption.request()
    }
    defer { Interruption.clear() }
    let start = ContinuousClock.now
    let error = #expect(throws: LuaError.self) { try plugin.score(url(server)) }
    #expect(error?.kind == .interrupted)
    #expect(ContinuousClock.now - start < .seconds(2))
  }

  @Test func aCacheOutlivesThePlugin() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      reward(
        "local old = tonumber(cache.get('key\\n\\u{e9}') or 0) cache.put('key\\n\\u{e9}', tostring(old + 1)) return old"
      ),
      to: "p/init.lua")
    func load(_ cache: String?) throws -> Plugin {
      try Plugin(folder: folder.path + "/p", grants: PluginGrants(cache: cache))
    }
    let place = folder.path + "/a/cache"
    #expect(try load(place).score([:]).value == 0)
    #expect(try load(place).score([:]).value == 1)
    let entries = try FileManager.default.contentsOfDirectory(atPath: place)
    #expect(entries.count == 1)
    // A damaged entry, or another key's, is none.
    for text in ["{\"key\": \"key", "{\"key\": \"another\", \"text\": \"7\"}"] {
      try folder.write(text, to: "a/cache/" + entries[0])
      #expect(try load(place).score([:]).value == 0)
    }
    #expect(try load(nil).score([:]).value == 0)
    #expect(try load(nil).score([:]).value == 0)
    try folder.write("a file", to: "b")
    #expect(
      message { try load(folder.path + "/b").score([:]) }.contains("the cache '\(folder.path)/b' cannot be written"))
  }

  @Test func mistakesAreErrors() throws {
    let server = try LocalServer { _ in .init() }
    for (policy, request, expected) in [
      ("{ retrys = 1 }", "", "http.post: unknown option 'retrys' (did you mean 'retries'?)"),
      ("{ timeout = 0 }", "", "http.post: option 'timeout' must be at least"),
      ("{}", "method = 'GET'", "http.post: request 1: unknown option 'method'"),
      ("{}", "headers = { a = 'b\\nc' }", "option 'headers' 'a' must be a string of one line"),
    ] {
      let found = message { try poster("return 0", server, policy: policy, request: request).score(url(server)) }
      #expect(found.contains(expected) || found.contains("'timeout' must be between"), "\(found)")
    }
    #expect(server.requests.isEmpty)
  }
}
