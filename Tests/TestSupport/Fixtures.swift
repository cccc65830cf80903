import Foundation
import Values

/// Files of the repository that tests read.
package enum Fixtures {
  /// The repository's root.
  package static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  /// A path in Tests/Fixtures.
  package static func path(_ name: String) -> String { "\(root)/Tests/Fixtures/\(name)" }

  /// The names in a folder of Tests/Fixtures, sorted.
  package static func names(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path(folder))) ?? []).sorted()
  }

  /// A tiny checkpoint's directory.
  package static func model(_ name: String) -> String { path("models/\(name)") }

  package static func json(_ name: String) throws -> Value {
    try JSON.parse(Data(contentsOf: URL(filePath: path(name))), source: name)
  }
}

/// A path for a directory that is not there yet; what is made there goes with the value.
package final class TemporaryPath {
  package let path = FileManager.default.temporaryDirectory.appending(path: "grao-\(UUID().uuidString)").path

  package init() {}
  deinit { try? FileManager.default.removeItem(atPath: path) }

  package func text(_ name: String) throws -> String { try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }
  package func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: "\(path)/\(name)")) }

  package func json(_ name: String) throws -> Value { try JSON.parse(text(name), source: name) }

  /// The names in the directory, sorted.
  package var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
  }
}
