import Foundation
import Values

/// What a plugin may do beyond its own state, by its script's leave: reach hosts, and keep texts in a folder.
package struct PluginGrants: Sendable {
  package var hosts: HostGrants
  /// Seconds that the network may keep one call of the plugin waiting, which do not count as the call's own.
  package var networkSeconds: Double
  /// The folder of the plugin's cache.
  package var cache: String?

  package static let defaultNetworkSeconds = 600.0

  package init(
    hosts: [String] = [], networkSeconds: Double = defaultNetworkSeconds, cache: String? = nil
  ) throws(GRAOError) {
    self.hosts = try HostGrants(hosts)
    self.networkSeconds = networkSeconds
    self.cache = cache
  }
}

/// The functions `http.post`, `cache.get` and `cache.put` of a plugin, and `json`.
final class NetworkAccess {
  private let plugin: String
  private let grants: PluginGrants
  /// Environment variables that the plugin may send as keys: those that its script's options name.
  private let keys: Set<String>
  /// Of the call that is under way.
  private var secondsLeft: Double

  init(plugin: String, grants: PluginGrants, keys: Set<String>) {
    self.plugin = plugin
    self.grants = grants
    self.keys = keys
    secondsLeft = grants.networkSeconds
  }

  /// A call of the plugin begins.
  func begin() { secondsLeft = grants.networkSeconds }

  /// The globals that a plugin's state gets.
  func globals(of state: LuaState) -> Value {
    let cache = grants.cache.map(DiskCache.init)
    func function(_ name: String, _ body: @escaping (LuaCall) throws -> [Value]) -> Value {
      .object(
        HostFunction(name) { [weak state] call in
          // Waiting is not the plugin's work.
          let start = ContinuousClock.now
          defer { state?.extendTime(by: (ContinuousClock.now - start).seconds) }
          return try body(call)
        })
    }
    return [
      "http": ["post": function("http.post") { [unowned self] call in try post(call) }],
      "cache": [
        "get": function("cache.get") { [(cache?.text(for: try $0.string(1))).map(Value.string) ?? .null] },
        "put": function("cache.put") { call in
          try cache?.store(try call.string(2), for: try call.string(1))
          return []
        },
      ],
      "json": JSONFunctions.module,
    ]
  }

  /// `http.post(requests [, policy])`: an array of requests `{ url =, body =, headers =, key = }` to an array of
  /// `{ status =, body =, attempts =, error = }`.
  private func post(_ call: LuaCall) throws -> [Value] {
    let policy = try policy(call)
    let requests = try call.array(1).enumerated().map { index, value in
      try request(value.table ?? Table(), "\(call.name): request \(index + 1)")
    }
    let client = HTTPClient(grants: grants.hosts, policy: policy, seconds: secondsLeft) {
      if Interruption.isRequested { throw LuaError(kind: .interrupted, message: "interrupted") }
    }
    let start = ContinuousClock.now
    defer { secondsLeft = max(0, secondsLeft - (ContinuousClock.now - start).seconds) }
    let outcomes: [Value] = try client.post(requests).map { outcome in
      var table = Table([("attempts", .integer(outcome.attempts))])
      if outcome.status != 0 { table["status"] = .integer(outcome.status) }
      table["body"] = .string(String(decoding: outcome.body, as: UTF8.self))
      table["error"] = outcome.error.map(Value.string)
      return .table(table)
    }
    return [.array(outcomes)]
  }

  private func request(_ table: Table, _ owner: String) throws(GRAOError) -> HTTPRequest {
    let reader = try OptionSchema(
      owner: owner,
      [
        OptionDeclaration("url", .string, "where it goes", required: true),
        OptionDeclaration("body", .string, default: "", "what is sent"),
        OptionDeclaration("headers", .table, default: .table(Table()), "by name"),
        OptionDeclaration("key", .string, "the environment variable whose value is sent as the bearer's key"),
      ]
    ).read(table)
    let address = try HTTPAddress(try reader.string("url"))
    guard grants.hosts.allows(address) else {
      throw GRAOError(
        "plugin '\(plugin)' may not reach the host '\(address.hostAndPort)': its script grants that with "
          + "grao.plugin(name, options, { hosts = { \"\(address.hostAndPort)\" } })")
    }
    var headers = [(name: "Content-Type", value: "application/json")]
    for (name, value) in try reader.nested("headers").table {
      guard let text = value.string, !(name + text).utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
        throw reader.failure("headers", "'\(name)' must be a string of one line")
      }
      headers.append((name, text))
    }
    return HTTPRequest(
      address: address, headers: headers, body: Data(try reader.string("body").utf8),
      bearer: try reader.optionalString("key").map(secret))
  }

  /// The value of an environment variable; it is told to servers, not to the plugin.
  private func secret(_ name: String) throws(GRAOError) -> String {
    guard keys.contains(name) else {
      throw GRAOError("plugin '\(plugin)' may not send the environment variable '\(name)': no option of it names that")
    }
    guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else {
      throw GRAOError("plugin '\(plugin)': the environment variable '\(name)' is not set")
    }
    return value
  }

  private func policy(_ call: LuaCall) throws(GRAOError) -> HTTPPolicy {
    var policy = HTTPPolicy()
    let reader = try OptionSchema(
      owner: call.name,
      [
        OptionDeclaration(
          "concurrency", .integer, default: .integer(policy.concurrency), "requests at once", minimum: 1, maximum: 256),
        OptionDeclaration(
          "timeout", .number, default: .number(policy.timeout), "seconds of one attempt", minimum: 0.001, maximum: 3600),
        OptionDeclaration(
          "retries", .integer, default: .integer(policy.retries), "attempts after the first", minimum: 0, maximum: 100),
        OptionDeclaration(
          "backoff", .number, default: .number(policy.backoff), "seconds before the second attempt, then doubled",
          minimum: 0, maximum: 3600),
      ]
    ).read(try call.options(2))
    policy.concurrency = try reader.integer("concurrency")
    policy.timeout = try reader.number("timeout")
    policy.retries = try reader.integer("retries")
    policy.backoff = try reader.number("backoff")
    return policy
  }
}
