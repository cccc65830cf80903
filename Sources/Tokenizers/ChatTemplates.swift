import Templates
import Values

/// A tokenizer's chat templates: one, or several by name, chosen among as transformers chooses.
struct ChatTemplates: Sendable {
  /// A template's source, and what compiling it gave: an error is told when the template is asked for.
  private struct Entry {
    let source: String
    let template: Result<Template, GRAOError>
  }

  private var entries: [String: Entry] = [:]

  /// - Parameters:
  ///   - named: Jinja sources; the only template, or the one for all purposes, is named "default".
  ///   - source: what they were read from, for messages.
  init(_ named: [String: String], source: String) {
    for (name, text) in named {
      let path = "\(source): chat template" + (name == "default" ? "" : " '\(name)'")
      entries[name] = Entry(
        source: text, template: Result { () throws(GRAOError) in try Template(text, name: path) })
    }
  }

  /// The source of the template for all purposes.
  var defaultSource: String? { entries["default"]?.source }

  /// - Parameters:
  ///   - given: the source of a template of the caller's own, or the name of one of these; nil for the tokenizer's.
  ///   - tools: whether tools are described, for which "tool_use" is preferred.
  func choose(_ given: String?, tools: Bool) throws(GRAOError) -> Template {
    if let given {
      if let entry = entries[given] { return try entry.template.get() }
      return try Template(given, name: "template")
    }
    if tools, let entry = entries["tool_use"] { return try entry.template.get() }
    if let entry = entries["default"] { return try entry.template.get() }
    if entries.isEmpty { throw GRAOError("the tokenizer has no chat template: give one as the option 'template'") }
    throw GRAOError(
      "the tokenizer has several chat templates and none named 'default': name one of "
        + entries.keys.sorted().joined(separator: ", "))
  }
}
