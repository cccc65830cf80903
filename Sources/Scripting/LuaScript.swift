import CLuaBridge
import Foundation
import Values

extension LuaState {
  /// Runs a user's script: `arg` holds the arguments, `require` also finds the files of the script's folder.
  /// - Parameter content: the file's, where it has been read.
  package func run(file: String, content: [UInt8]? = nil, arguments: [String]) throws {
    let script = try load(SourceFile.source(content ?? SourceFile.bytes(of: file)), name: file)
    let values = arguments.map(Value.string)
    try loadOwn(Self.scriptSetup).call([.string(file), .array(values), .string(directoryName(file))])
    defer { fflush(nil) }
    try script.call(values)
  }

  /// Makes a table of host functions the module `name`, for `require`.
  package func register(module name: String, _ module: Value) throws(LuaError) {
    try loadOwn(Self.moduleSetup).call([.string(name), module, [nil]])
  }

  private static let scriptSetup = """
    local script, arguments, folder = ...
    arguments[0] = script
    arg = arguments
    package.path = folder .. "/?.lua;" .. folder .. "/?/init.lua;" .. package.path
    """

  private static let moduleSetup = """
    local name, module, nulls = ...
    if module.json then module.json.null = nulls[1] end
    package.loaded[name] = module
    """
}
