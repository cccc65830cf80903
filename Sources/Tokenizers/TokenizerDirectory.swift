import Foundation
import Values

extension Tokenizer {
  /// The files of a model directory that belong to its tokenizer; only the first must exist.
  private static let fileNames = [
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja",
  ]

  /// The tokenizer of a Hugging Face model directory.
  public static func load(directory: String) throws(GRAOError) -> Tokenizer {
    var files: [(name: String, bytes: [UInt8])] = []
    for name in fileNames {
      let path = "\(directory)/\(name)"
      guard FileManager.default.fileExists(atPath: path) else {
        if name == fileNames[0] { throw GRAOError("\(path): no such file") }
        continue
      }
      guard let data = FileManager.default.contents(atPath: path) else { throw GRAOError("\(path): cannot be read") }
      files.append((name, Array(data)))
    }
    func bytes(_ name: String) -> [UInt8]? { files.first { $0.name == name }?.bytes }
    func table(_ name: String) throws(GRAOError) -> Table? {
      guard let bytes = bytes(name) else { return nil }
      let path = "\(directory)/\(name)"
      guard let table = try JSON.parse(bytes, source: path).table else { throw GRAOError("\(path): expected a table") }
      return table
    }
    let settings = try TokenizerSettings(
      config: table("tokenizer_config.json"), specials: table("special_tokens_map.json"), source: directory)
    return try Tokenizer(
      json: .table(table("tokenizer.json") ?? Table()), settings: settings,
      chatTemplate: bytes("chat_template.jinja").map { String(decoding: $0, as: UTF8.self) }, files: files,
      source: "\(directory)/tokenizer.json")
  }
}
