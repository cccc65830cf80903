/// What a filter, test, method or function is called with.
struct Arguments {
  var positional: [Object] = []
  var named: [(name: Text, value: Object)] = []

  /// The values of `parameters`, nil where they are not given.
  /// - Throws: where there are too many, or a name is unknown or given twice.
  func bind(_ parameters: [Text], of function: String) throws(Failure) -> [Object?] {
    guard positional.count <= parameters.count else {
      throw Failure("\(function) takes at most \(parameters.count) arguments, not \(positional.count)")
    }
    var values = positional.map { Optional($0) } + Array(repeating: nil, count: parameters.count - positional.count)
    for (name, value) in named {
      guard let place = parameters.firstIndex(of: name) else {
        throw Failure("\(function) has no argument '\(name.string)'")
      }
      guard values[place] == nil else { throw Failure("\(function): the argument '\(name.string)' is given twice") }
      values[place] = value
    }
    return values
  }

  /// The same for a function whose arguments have no names.
  func positional(_ parameters: [Text], of function: String) throws(Failure) -> [Object?] {
    guard named.isEmpty else { throw Failure("\(function) takes no keyword arguments") }
    return try bind(parameters, of: function)
  }

  /// Checks that nothing is given.
  func none(_ function: String) throws(Failure) { _ = try bind([], of: function) }
}

/// Typed access to bound arguments: what is absent takes its default, what is of another type is an error.
extension Optional where Wrapped == Object {
  func integer(_ what: String, default value: Int? = nil) throws(Failure) -> Int {
    guard let self else {
      guard let value else { throw Failure("\(what) is missing") }
      return value
    }
    guard let integer = self.integer else { throw Failure("\(what) must be an integer, not '\(self.type)'") }
    return integer
  }

  func text(_ what: String, default value: Text? = nil) throws(Failure) -> Text {
    guard let self else {
      guard let value else { throw Failure("\(what) is missing") }
      return value
    }
    guard let text = self.text else { throw Failure("\(what) must be a string, not '\(self.type)'") }
    return text
  }

  func isTrue(default value: Bool) -> Bool { self?.isTrue ?? value }

  func required(_ what: String) throws(Failure) -> Object {
    guard let self else { throw Failure("\(what) is missing") }
    return self
  }
}
