/// What may follow '|': Jinja's filters, and transformers' `tojson`.
struct Filter: Sendable {
  typealias Body = @Sendable (Object, Arguments, Interpreter) throws(Failure) -> Object
  let body: Body

  static func named(_ name: String) -> Filter? {
    (textFilters[name] ?? markupFilters[name] ?? sequenceFilters[name] ?? selectionFilters[name] ?? valueFilters[name])
      .map(Filter.init(body:))
  }

  /// Fails once it is used.
  static func unknown(_ name: String) -> Filter {
    Filter { (_, _, _) throws(Failure) in throw Failure("there is no filter '\(name)'") }
  }

  /// A filter with named parameters.
  static func taking(
    _ name: String, _ parameters: [Text],
    _ body: @escaping @Sendable (Object, [Object?], Interpreter) throws(Failure) -> Object
  ) -> Body {
    { (value, arguments, interpreter) throws(Failure) in
      try interpreter.chargeText(value)
      return try body(value, arguments.bind(parameters, of: name), interpreter)
    }
  }
}

/// What an attribute path such as "function.name" or 0 finds in an object.
struct AttributePath {
  private let parts: [Object]

  init(_ attribute: Object?) {
    switch attribute {
    case nil, .some(.none): parts = []
    case .string(let path)?:
      parts = path.split(by: ".").map { part in
        part.isAll(\.isDigit) ? Int(part.string).map { .integer($0) } ?? .string(part) : .string(part)
      }
    case let other?: parts = [other]
    }
  }

  /// - Parameter otherwise: taken in place of what is not defined on the way.
  func value(in object: Object, default otherwise: Object? = nil, _ interpreter: Interpreter) throws(Failure) -> Object
  {
    var value = object
    for part in parts {
      value = try interpreter.subscripted(value, by: part)
      if value.isUndefined, let otherwise, !otherwise.isNone { value = otherwise }
    }
    return value
  }
}
