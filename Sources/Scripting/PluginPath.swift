import Foundation
import Values

/// Where plugins are looked for, in order.
package struct PluginPath {
  package let folders: [String]

  /// - Parameters:
  ///   - given: the folders of `--plugin-path`.
  ///   - environment: GRAO_PLUGIN_PATH, its folders separated by colons.
  ///   - scriptFolder: the folder of the user's script.
  package init(given: [String] = [], environment: String? = nil, scriptFolder: String? = nil) {
    var folders = given + (environment ?? "").split(separator: ":").map(String.init)
    if let scriptFolder { folders.append(scriptFolder == "." ? "plugins" : scriptFolder + "/plugins") }
    folders.append("plugins")
    if let shipped = Self.shipped { folders.append(shipped) }
    var seen: Set<String> = []
    self.folders = folders.filter { seen.insert($0).inserted }
  }

  /// The folder of the plugins that come with the engine: GRAO_SHIPPED_PLUGINS where that is set, else `plugins` or
  /// `share/grao/plugins` beside the executable or above it, else that of the sources this was built from.
  package static let shipped: String? = {
    if let folder = ProcessInfo.processInfo.environment["GRAO_SHIPPED_PLUGINS"] { return folder }
    let executable = realPath("/proc/self/exe") ?? realPath(CommandLine.arguments.first ?? "")
    for var folder in [executable, #filePath].compactMap(\.self) {
      while folder != "/", folder != "." {
        folder = directoryName(folder)
        for candidate in [folder + "/plugins", folder + "/share/grao/plugins"]
        where FileManager.default.fileExists(atPath: candidate + "/exact_match/init.lua") {
          return candidate
        }
      }
    }
    return nil
  }()

  /// The folder of a plugin.
  func find(_ name: String) throws(GRAOError) -> String {
    guard SourceFile.isName(name) else { throw GRAOError("'\(name)' is not a plugin's name: letters, digits, _ and -") }
    for folder in folders where FileManager.default.fileExists(atPath: "\(folder)/\(name)/init.lua") {
      return "\(folder)/\(name)"
    }
    let near = Spelling.nearest(to: name, among: names).map { " (did you mean '\($0)'?)" } ?? ""
    throw GRAOError("no plugin '\(name)'\(near); looked in \(folders.joined(separator: ", "))")
  }

  /// The plugins that can be found, by name.
  package var names: [String] {
    var names: Set<String> = []
    for folder in folders {
      for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      where FileManager.default.fileExists(atPath: "\(folder)/\(name)/init.lua") {
        names.insert(name)
      }
    }
    return names.sorted()
  }
}
