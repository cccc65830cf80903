import Foundation
import Templates
import Testing
import Values

/// What Tests/Oracles/make_templates.py wrote.
enum Fixtures {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/templates").path
  /// The clock of the oracle.
  static let now = LocalTime(year: 2024, month: 7, day: 26, hour: 15, minute: 4, second: 5)

  static func json(_ name: String) throws -> Value {
    try JSON.parse(Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")), source: name)
  }

  static func source(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(folder)/published/\(name).jinja")), as: UTF8.self)
  }

  static let published: [String] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/published")) ?? []
    return files.filter { $0.hasSuffix(".jinja") }.map { String($0.dropLast(6)) }.sorted()
  }()
}

/// What came of a rendering.
enum Outcome: Equatable {
  case text([UInt8])
  /// By the template's own raise_exception.
  case raised([UInt8])
  case error

  /// - Parameter name: the template's, with which other errors' messages begin.
  init(name: String, _ render: () throws -> String) {
    do {
      self = .text(Array(try render().utf8))
    } catch {
      let message = "\(error)"
      self = message.hasPrefix("\(name):") ? .error : .raised(Array(message.utf8))
    }
  }

  init(golden: Value) throws {
    if let text = golden["text"]?.string {
      self = .text(Array(text.utf8))
    } else if let message = golden["raised"]?.string {
      self = .raised(Array(message.utf8))
    } else {
      _ = try #require(golden["error"])
      self = .error
    }
  }
}

extension Outcome: CustomStringConvertible {
  var description: String {
    switch self {
    case .text(let bytes): "text \(String(decoding: bytes, as: UTF8.self).debugDescription)"
    case .raised(let bytes): "raised \(String(decoding: bytes, as: UTF8.self).debugDescription)"
    case .error: "error"
    }
  }
}
