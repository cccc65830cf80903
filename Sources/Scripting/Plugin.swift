import GRAO
import Values

/// A plugin with its options, in a Lua state of its own. Each call gets copies of what it is given. After a call that
/// ran out of time or memory the next one finds the plugin loaded anew.
package final class Plugin {
  package enum Kind: String, CaseIterable, Sendable {
    case reward, curriculum, schedule, objective

    var functionNames: [String] {
      switch self {
      case .reward: ["score", "score_batch"]
      case .curriculum: ["weight"]
      case .schedule: ["value"]
      case .objective: ["loss"]
      }
    }
  }

  /// Its folder, as it was found.
  package let folder: String
  package let limits: Sandbox.Limits
  package let seed: Int
  /// Checked, with defaults filled in.
  package let options: Table
  private let network: NetworkAccess
  private var manifest: PluginManifest
  /// Nil after an abort.
  private var state: LuaState?

  package var name: String { manifest.name }
  package var version: String { manifest.version }
  package var kind: Kind { manifest.kind }
  package var description: String { manifest.description }
  package var schema: OptionSchema { manifest.schema }

  /// - Parameter seed: of the plugin's math.random.
  package convenience init(
    _ name: String, options: Table = Table(), on path: PluginPath, limits: Sandbox.Limits = Sandbox.Limits(),
    grants: PluginGrants? = nil, seed: Int = 0
  ) throws {
    try self.init(folder: try path.find(name), options: options, limits: limits, grants: grants, seed: seed)
  }

  package init(
    folder: String, options: Table = Table(), limits: Sandbox.Limits = Sandbox.Limits(), grants: PluginGrants? = nil,
    seed: Int = 0
  ) throws {
    self.folder = folder
    self.limits = limits
    self.seed = seed
    network = NetworkAccess(
      plugin: Self.name(of: folder), grants: try grants ?? PluginGrants(), keys: Set(options.compactMap(\.value.string))
    )
    (state, manifest) = try Self.load(folder, limits, seed, network)
    self.options = try manifest.schema.validate(options)
  }

  private static func name(of folder: String) -> String {
    folder.split(separator: "/").last.map(String.init) ?? folder
  }

  private static func load(
    _ folder: String, _ limits: Sandbox.Limits, _ seed: Int, _ network: NetworkAccess
  ) throws -> (LuaState, PluginManifest) {
    let path = folder + "/init.lua"
    let name = name(of: folder)
    guard limits.seconds > 0, limits.seconds.isFinite, (1...1 << 20).contains(limits.megabytes) else {
      throw GRAOError("plugin '\(name)': its limits must be more than 0 seconds and at least 1 megabyte")
    }
    do {
      let state = try Sandbox.state(folder: folder, limits: limits, seed: seed, network: network)
      try TrackedBinding.register(in: state)
      let returned = try state.load(try SourceFile.read(path), name: path).call()
      var manifest = try PluginManifest(returned.first ?? .null, path: path, folderName: name)
      if manifest.functionName == "score_batch" {
        manifest.function = try state.wrap(manifest.function, in: ScoreReading.batchWrapper)
      } else if manifest.kind == .curriculum {
        manifest.function = try state.wrap(manifest.function, in: RowWeights.wrapper)
      }
      return (state, manifest)
    } catch let error as LuaError {
      throw describe(error, name, path, limits)
    }
  }

  /// An error of the plugin's code has its position. Any other, and one of its limits, gets the plugin's name.
  private static func describe(_ error: LuaError, _ name: String, _ path: String, _ limits: Sandbox.Limits) -> LuaError
  {
    let message: String
    switch error.kind {
    case .memory: message = "\(path): plugin '\(name)' needs more than its \(limits.megabytes) MB of memory"
    case .time: message = error.message.hasPrefix(path) ? error.message : "\(path): \(error.message)"
    case .error:
      guard !error.message.hasPrefix(path.dropLast("init.lua".count)) else { return error }
      message = "plugin '\(name)': \(error.message)"
    case .interrupted: return error
    }
    return LuaError(kind: error.kind, message: message, traceback: error.traceback)
  }

  private func call(_ arguments: [Value]) throws -> [Value] {
    network.begin()
    if state == nil { (state, manifest) = try Self.load(folder, limits, seed, network) }
    do {
      return try manifest.function.call(arguments + [.table(options)])
    } catch {
      if error.kind != .error { state = nil }
      throw Self.describe(error, name, folder + "/init.lua", limits)
    }
  }

  private func failure(_ value: Value, expected: String) -> GRAOError {
    let found =
      switch value {
      case .number(let number): "\(number)"
      case .integer(let number): "\(number)"
      default: value.kind
      }
    return GRAOError("\(kind.rawValue) plugin '\(name)': \(manifest.functionName) returned \(found), not \(expected)")
  }

  private var reading: ScoreReading { ScoreReading(failure: failure, expectedScore: "a finite number or nil") }

  private func require(_ kind: Kind) throws(GRAOError) {
    guard self.kind == kind else {
      throw GRAOError(
        "plugin '\(name)' is a \(self.kind.rawValue), and cannot be used as \(kind == .objective ? "an" : "a") \(kind.rawValue)"
      )
    }
  }

  /// Whether a reward scores many samples in one call.
  package var scoresBatches: Bool { manifest.functionName == "score_batch" }

  /// A reward's score of one sample.
  package func score(_ sample: Value) throws -> RewardScore {
    try require(.reward)
    guard manifest.functionName == "score" else { return try scores([sample])[0].get() }
    let score = try reading.score(try call([sample]))
    if let value = score.value, !value.isFinite { throw failure(.number(value), expected: reading.expectedScore) }
    return score
  }

  /// A call's limits are meant for a bounded number of samples.
  private static let samplesPerCall = 1024

  /// The scores of several samples by a reward that has score_batch.
  package func scores(_ samples: [Value]) throws -> [Result<RewardScore, any Error>] {
    try require(.reward)
    return try stride(from: 0, to: samples.count, by: Self.samplesPerCall).flatMap { start in
      let part = Array(samples[start..<min(start + Self.samplesPerCall, samples.count)])
      return try reading.scores(try call([.array(part)]), count: part.count)
    }
  }

  /// A curriculum's weights of rows, each at least 0.
  package func weights(rows: [Value], state: Value) throws -> [Double] {
    try require(.curriculum)
    return try RowWeights.inParts(rows) { part in
      try (call([.array(part), state]).first?.array ?? []).map { returned in
        guard let weight = returned.number, weight.isFinite, weight >= 0 else {
          throw failure(returned, expected: "a finite number of at least 0")
        }
        return weight
      }
    }
  }

  /// What an objective returns for a group.
  func loss(_ group: Value) throws -> [Value] {
    try require(.objective)
    return try call([group])
  }

  /// A schedule's value at a step.
  package func value(state: Value) throws -> Double {
    try require(.schedule)
    let returned = try call([state]).first ?? .null
    guard let value = returned.number, value.isFinite else { throw failure(returned, expected: "a finite number") }
    return value
  }
}
