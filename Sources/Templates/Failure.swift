/// Why compiling or rendering stopped. `Template` turns it into a `GRAOError` with the template's name and line.
struct Failure: Error {
  var message: String
  /// The template's own `raise_exception`: its message is passed on as it is.
  var isRaised = false
  /// The line at fault where it is not the one being rendered.
  var line: Int?

  init(_ message: String, line: Int? = nil) {
    self.message = message
    self.line = line
  }

  static func raised(_ message: String) -> Failure {
    var failure = Failure(message)
    failure.isRaised = true
    return failure
  }
}

extension Array {
  /// `filter`, with typed errors.
  func filtered(_ isKept: (Element) throws(Failure) -> Bool) throws(Failure) -> [Element] {
    var kept: [Element] = []
    for element in self where try isKept(element) { kept.append(element) }
    return kept
  }
}
