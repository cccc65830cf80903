import Foundation
import Values

extension Tokenizer {
  /// The files of a model directory that belong to its tokenizer; only the first must exist.
  private static let fileNames = [
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja",
  ]

  /// Further templates, by name: `additional_chat_templates/NAME.jinja`.
  private static let templateFolder = "additional_chat_templates"

  /// The tokenizer of a Hugging Face model directory.
  /// - Parameter chatTemplate: a Jinja source in place of the directory's chat templates.
  public static func load(directory: String, chatTemplate: String? = nil) throws(GRAOError) -> Tokenizer {
    var files: [(name: String, bytes: [UInt8])] = []
    for name in fileNames + templateNames(directory) {
      let path = "\(directory)/\(name)"
      guard FileManager.default.fileExists(atPath: path) else {
        if name == fileNames[0] { throw GRAOError("\(path): no such file") }
        continue
      }
      guard let data = FileManager.default.contents(atPath: path) else { throw GRAOError("\(path): cannot be read") }
      files.append((name, Array(data)))
    }
    if let chatTemplate {
      files.removeAll { $0.name.hasSuffix(".jinja") }
      files.append(("chat_template.jinja", Array(chatTemplate.utf8)))
    }
    func bytes(_ name: String) -> [UInt8]? { files.first { $0.name == name }?.bytes }
    func table(_ name: String) throws(GRAOError) -> Table? {
      guard let bytes = bytes(name) else { return nil }
      let path = "\(directory)/\(name)"
      guard let table = try JSON.parse(bytes, source: path).table else { throw GRAOError("\(path): expected a table") }
      return table
    }
    var templates: [String: String] = [:]
    for (name, bytes) in files where name.hasSuffix(".jinja") {
      let name =
        name == "chat_template.jinja" ? "default" : URL(filePath: name).deletingPathExtension().lastPathComponent
      templates[name] = String(decoding: bytes, as: UTF8.self)
    }
    let settings = try TokenizerSettings(
      config: table("tokenizer_config.json"), specials: table("special_tokens_map.json"), source: directory)
    return try Tokenizer(
      json: .table(table("tokenizer.json") ?? Table()), settings: settings,
      chatTemplates: templates, files: files,
      source: "\(directory)/tokenizer.json")
  }

  private static func templateNames(_ directory: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(directory)/\(templateFolder)")) ?? []
    return names.filter { $0.hasSuffix(".jinja") }.sorted().map { "\(templateFolder)/\($0)" }
  }
}
