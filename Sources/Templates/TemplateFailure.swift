/// What is wrong with a template, or with what it was given.
struct TemplateFailure: Error {
  let message: String
  /// Where in the template; nil where the place is the statement that is being rendered.
  var line: Int?

  init(_ message: String, line: Int? = nil) {
    self.message = message
    self.line = line
  }
}

/// The template's own refusal: `raise_exception(message)`.
struct RaisedException: Error {
  let message: String
}
