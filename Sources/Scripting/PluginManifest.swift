import Values

/// What a plugin says of itself: the table that its init.lua returns.
struct PluginManifest {
  let name: String
  let version: String
  let kind: Plugin.Kind
  let description: String
  let schema: OptionSchema
  /// The one function that a plugin of this kind has, and its name.
  var function: LuaFunction
  let functionName: String

  /// - Parameters:
  ///   - value: what init.lua returned.
  ///   - path: that of init.lua, for messages.
  ///   - folderName: which the plugin's name must equal.
  init(_ value: Value, path: String, folderName: String) throws(GRAOError) {
    guard let table = value.table else { throw GRAOError("\(path): a plugin returns a table, not \(value.kind)") }
    let functions = Plugin.Kind.allCases.flatMap(\.functionNames)
    let schema = OptionSchema(
      owner: path,
      [
        OptionDeclaration("name", .string, "the name of the plugin's folder", required: true),
        OptionDeclaration("version", .string, "of the plugin, as 1.0.0", required: true),
        OptionDeclaration(
          "kind", .string, "what the plugin is", choices: Plugin.Kind.allCases.map { .string($0.rawValue) },
          required: true),
        OptionDeclaration("description", .string, default: "", "what the plugin does"),
        OptionDeclaration("options", .table, default: .table(Table()), "its options by name"),
      ] + functions.map { OptionDeclaration($0, .object("a function"), "the plugin's work") })
    let manifest = try schema.read(table)
    name = try manifest.string("name")
    version = try manifest.string("version")
    description = try manifest.string("description")
    let kindName = try manifest.string("kind")
    guard let kind = Plugin.Kind(rawValue: kindName) else { throw manifest.failure("kind", "cannot be '\(kindName)'") }
    self.kind = kind
    guard name == folderName else {
      throw manifest.failure("name", "must be '\(folderName)', the name of its folder, not '\(name)'")
    }
    guard !version.isEmpty else { throw manifest.failure("version", "must not be empty") }
    let given = functions.filter { manifest.has($0) }
    guard given.count == 1, kind.functionNames.contains(given[0]) else {
      let found = given.isEmpty ? "none" : given.joined(separator: " and ")
      throw GRAOError(
        "\(path): a \(kindName) plugin has one function, \(kind.functionNames.joined(separator: " or ")); found \(found)"
      )
    }
    functionName = given[0]
    function = try manifest.object(functionName, as: LuaFunction.self, "a function")
    guard let options = manifest.table["options"]?.table else { throw manifest.failure("options", "must be a table") }
    self.schema = try OptionSchema(owner: "plugin '\(name)'", declared: options)
  }
}
