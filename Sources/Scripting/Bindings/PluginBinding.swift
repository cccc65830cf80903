import Foundation
import GRAO
import Values

// A plugin in each of the roles that the engine has for one; a plugin of another kind says so when it is called.

extension Plugin: NamedObject {}

extension Plugin: RewardScorer {
  package func score(_ samples: [RewardSample]) -> [Result<RewardScore, any Error>] {
    let values = samples.map { Convert.value($0) }
    if scoresBatches, values.count > 1 {
      do { return try scores(values) } catch let error as LuaError where [.time, .interrupted].contains(error.kind) {
        // One by one they would only take longer.
        return values.map { _ in .failure(error) }
      } catch {
        // One bad sample of a batch must not take the others along: they are asked for again, one by one.
      }
    }
    return values.map { value in Result { try score(value) } }
  }
}

extension Plugin: Curriculum {
  package func weights(of rows: [Table], at state: ScheduleState) throws -> [Double] {
    try weights(rows: rows.map(Value.table), state: Convert.value(state))
  }
}

extension Plugin: ScheduleSource {
  package var schedule: Schedule {
    .custom(name: name) { state in try self.value(state: Convert.value(state)) }
  }
}

extension Plugin: ObjectiveFunction {
  package func loss(_ group: TrackedGroup) throws -> (
    loss: TrackedValue, parts: [(name: String, value: TrackedValue)]
  ) {
    try TrackedBinding.read(loss(TrackedBinding.value(group)), of: "objective plugin '\(name)'")
  }
}

/// Plugins as scripts get them.
enum PluginBinding {
  static var plugin: LuaClass<Plugin> {
    LuaClass<Plugin>("grao.plugin")
      .description { "grao.plugin: \($0.kind.rawValue) '\($0.name)' \($0.version)" }
      .field("name") { .string($0.name) }
      .field("kind") { .string($0.kind.rawValue) }
      .field("description") { .string($0.description) }
  }

  /// `grao.plugin(name [, options [, limits]])`.
  static func make(_ call: LuaCall, on path: PluginPath) throws -> [Value] {
    let schema = OptionSchema(
      owner: call.name,
      [
        OptionDeclaration("seconds", .number, default: 2, "of wall time for each call", minimum: 0.001),
        OptionDeclaration("megabytes", .integer, default: 256, "of memory", minimum: 1, maximum: 0x1p20),
        OptionDeclaration("hosts", .array(of: .string), default: [], "that the plugin may reach: \"name:port\""),
        OptionDeclaration(
          "network_seconds", .number, default: .number(PluginGrants.defaultNetworkSeconds),
          "of waiting for the network in each call, which do not count as the call's own", minimum: 0.001,
          maximum: 0x1p20),
        OptionDeclaration("cache", .string, "folder in which the plugin may keep texts"),
      ])
    let reader = try schema.read(try call.options(3))
    let limits = Sandbox.Limits(seconds: try reader.number("seconds"), megabytes: try reader.integer("megabytes"))
    let cache = try reader.optionalString("cache")
    try Convert.naming("\(call.name): option 'cache'") { () throws(GRAOError) in try cache.map(checkPath) }
    let grants = try Convert.naming("\(call.name): option 'hosts'") { () throws(GRAOError) in
      try PluginGrants(
        hosts: try reader.strings("hosts"), networkSeconds: try reader.number("network_seconds"),
        cache: cache)
    }
    let plugin = try Plugin(
      try call.string(1), options: try call.options(2), on: path, limits: limits, grants: grants)
    return [.object(plugin)]
  }
}
