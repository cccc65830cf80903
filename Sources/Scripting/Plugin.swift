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
    seed: Int = 0
  ) throws {
    try self.init(folder: try path.find(name), options: options, limits: limits, seed: seed)
  }

  package init(
    folder: String, options: Table = Table(), limits: Sandbox.Limits = Sandbox.Limits(), seed: Int = 0
  ) throws {
    self.folder = folder
    self.limits = limits
    self.seed = seed
    (state, manifest) = try Self.load(folder, limits, seed)
    self.options = try manifest.schema.validate(options)
  }

  private static func load(
    _ folder: String, _ limits: Sandbox.Limits, _ seed: Int
  ) throws -> (LuaState, PluginManifest) {
    let path = folder + "/init.lua"
    let name = folder.split(separator: "/").last.map(String.init) ?? folder
    guard limits.seconds > 0, limits.seconds.isFinite, (1...1 << 20).contains(limits.megabytes) else {
      throw GRAOError("plugin '\(name)': its limits must be more than 0 seconds and at least 1 megabyte")
    }
    do {
      let state = try Sandbox.state(folder: folder, limits: limits, seed: seed)
      try TrackedBinding.register(in: state)
      let returned = try state.load(try SourceFile.read(path), name: path).call()
      var manifest = try PluginManifest(returned.first ?? .null, path: path, folderName: name)
      if manifest.functionName == "score_batch" {
        manifest.function = try state.wrap(manifest.function, in: fillBatch)
      } else if manifest.kind == .curriculum {
        manifest.function = try state.wrap(manifest.function, in: RowWeights.wrapper)
      }
      return (state, manifest)
    } catch let error as LuaError {
      throw describe(error, name, path, limits)
    }
  }

  /// score_batch's scores with null in the place of nil, where Lua's arrays have holes.
  private static let fillBatch = """
    local score_batch, nulls = ...
    local next, type, null = next, type, nulls[1]
    return function(samples, options)
      local count = #samples
      local scores = score_batch(samples, options)
      if type(scores) ~= "table" then return scores end
      local filled = {}
      for i = 1, count do
        local score = scores[i]
        if score == nil then score = null end
        filled[i] = score
        scores[i] = nil
      end
      -- What is left is no sample's.
      if next(scores) ~= nil then return scores end
      return filled
    end
    """

  /// An error of the plugin's code has its position. One of its limits gets the plugin's name.
  private static func describe(_ error: LuaError, _ name: String, _ path: String, _ limits: Sandbox.Limits) -> LuaError
  {
    let message: String
    switch error.kind {
    case .memory: message = "\(path): plugin '\(name)' needs more than its \(limits.megabytes) MB of memory"
    case .time: message = error.message.hasPrefix(path) ? error.message : "\(path): \(error.message)"
    case .error, .interrupted: return error
    }
    return LuaError(kind: error.kind, message: message, traceback: error.traceback)
  }

  private func call(_ arguments: [Value]) throws -> Value { try callForAll(arguments).first ?? .null }

  private func callForAll(_ arguments: [Value]) throws -> [Value] {
    if state == nil { (state, manifest) = try Self.load(folder, limits, seed) }
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

  private func readScore(_ value: Value) throws(GRAOError) -> Double? {
    if value.isNull { return nil }
    guard let score = value.number, score.isFinite else { throw failure(value, expected: "a finite number or nil") }
    return score
  }

  private func require(_ kind: Kind) throws(GRAOError) {
    guard self.kind == kind else {
      throw GRAOError(
        "plugin '\(name)' is a \(self.kind.rawValue), and cannot be used as \(kind == .objective ? "an" : "a") \(kind.rawValue)"
      )
    }
  }

  /// Whether a reward scores many samples in one call.
  var scoresBatches: Bool { manifest.functionName == "score_batch" }

  /// A reward's score of one sample, nil where it does not apply.
  package func score(_ sample: Value) throws -> Double? {
    try require(.reward)
    guard manifest.functionName == "score" else { return try scores([sample])[0] }
    return try readScore(try call([sample]))
  }

  /// A reward's scores of several samples, in one call where the plugin has score_batch.
  package func scores(_ samples: [Value]) throws -> [Double?] {
    try require(.reward)
    guard manifest.functionName == "score_batch" else { return try samples.map { try score($0) } }
    if samples.isEmpty { return [] }
    let returned = try call([.array(samples)])
    guard let values = returned.array, values.count == samples.count else {
      throw failure(returned, expected: "an array with a number or nil for each of \(samples.count) samples")
    }
    return try values.map(readScore)
  }

  /// A curriculum's weights of rows, each at least 0.
  package func weights(rows: [Value], state: Value) throws -> [Double] {
    try require(.curriculum)
    return try RowWeights.inParts(rows) { part in
      try (call([.array(part), state]).array ?? []).map { returned in
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
    return try callForAll([group])
  }

  /// A schedule's value at a step.
  package func value(state: Value) throws -> Double {
    try require(.schedule)
    let returned = try call([state])
    guard let value = returned.number, value.isFinite else { throw failure(returned, expected: "a finite number") }
    return value
  }
}
