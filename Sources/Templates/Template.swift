import Values

/// A compiled Jinja template, as transformers' chat templates use it: blocks trimmed and stripped of their indent, no
/// escaping, values that cannot be changed, loop controls, generation blocks, and the functions `raise_exception`,
/// `strftime_now`, `namespace`, `dict`, `range`, `cycler` and `joiner`. Rendering is bounded in time, depth and size.
///
///     let template = try Template("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}", name: "chat")
///     let text = try template.render(["messages": [["role": "user", "content": "Hi"]]])
public struct Template: Sendable {
  let source: String
  private let name: String
  private let body: [Statement]
  private let names: [Text]

  /// - Parameter name: what the template is, for messages: "chat_template.jinja".
  /// - Throws: "NAME:LINE: …" where the template is not Jinja, or uses what chat templates cannot (include, extends, …).
  public init(_ source: String, name: String) throws(GRAOError) {
    self.source = source
    self.name = name
    do {
      (body, names) = try Parser.parse(source)
    } catch {
      throw GRAOError("\(name):\(error.line ?? 1): \(error.message)")
    }
  }

  /// The text that the template makes of `variables`.
  /// - Parameter now: the time that `strftime_now` shows.
  /// - Throws: the message of the template's own `raise_exception`; "NAME:LINE: …" for any other error.
  public func render(_ variables: Table, now: LocalTime = .current()) throws(GRAOError) -> String {
    let interpreter = Interpreter(names: names, now: now)
    defer { interpreter.release() }
    do {
      var objects: [Text: Object] = [:]
      for name in names {
        if let value = variables[name.string] { objects[name] = try Object(value) }
      }
      interpreter.define(objects)
      _ = try interpreter.run(body)
    } catch {
      throw GRAOError(error.isRaised ? error.message : "\(name):\(error.line ?? interpreter.line): \(error.message)")
    }
    return String(decoding: interpreter.output, as: UTF8.self)
  }
}
