import Values

/// A Lua state for code that is not the user's own script: allowlisted libraries, bounded memory and time, files of one
/// folder only, and the network where the script grants it.
package enum Sandbox {
  package struct Limits: Equatable, Sendable {
    /// Wall time of each call.
    package var seconds: Double
    package var megabytes: Int

    package init(seconds: Double = 2, megabytes: Int = 256) {
      self.seconds = seconds
      self.megabytes = megabytes
    }
  }

  static func state(folder: String, limits: Limits, seed: Int, network: NetworkAccess) throws -> LuaState {
    var options = LuaState.Options()
    options.isSandboxed = true
    options.seconds = limits.seconds
    options.memory = limits.megabytes << 20
    options.seed = seed
    let state = try LuaState(options)
    let find = HostFunction("require") { [weak state] call in
      guard let state else { return [] }
      if call[2].boolean == true {
        throw GRAOError("require: module '\(try call.string(1))' failed before, or requires itself")
      }
      let path = try modulePath(try call.string(1), in: folder)
      return [.object(try state.load(try SourceFile.read(path), name: path)), .string(path)]
    }
    try state.loadOwn(setup).call([.object(find), network.globals(of: state), [nil]])
    return state
  }

  /// The file of a module: `a.b` is a/b.lua or a/b/init.lua within the folder, links resolved.
  private static func modulePath(_ name: String, in folder: String) throws(GRAOError) -> String {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.allSatisfy(SourceFile.isName) else {
      throw GRAOError("require: '\(name)' is not the name of a module: letters, digits, _ and -, with dots between")
    }
    let stem = folder + "/" + parts.joined(separator: "/")
    guard let root = realPath(folder) else { throw GRAOError("\(folder): no such folder") }
    for path in [stem + ".lua", stem + "/init.lua"] {
      guard let resolved = realPath(path) else { continue }
      guard resolved.hasPrefix(root + "/") else {
        throw GRAOError("require: module '\(name)' leads out of the plugin's folder")
      }
      return path
    }
    throw GRAOError("require: no module '\(name)' in the plugin's folder")
  }

  private static let setup = """
    local find, globals, nulls = ...
    http, cache, json = globals.http, globals.cache, globals.json
    json.null = nulls[1]
    local loaded, begun = {}, {}
    function require(name)
      if loaded[name] == nil then
        local chunk, path = find(name, begun[name])
        begun[name] = true
        local value = chunk(name, path)
        if value == nil then value = true end
        loaded[name] = value
      end
      return loaded[name]
    end
    """
}
