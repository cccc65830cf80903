/// Filters that apply a filter, a test or an attribute to each element; what counts as false has none.
extension Filter {
  static let selectionFilters: [String: Body] = [
    "map": { (value, arguments, interpreter) throws(Failure) in
      guard value.isTrue, case let elements = try interpreter.elements(value), !elements.isEmpty else {
        return try .iterator([])
      }
      let transform = try mapping(arguments, interpreter)
      return try .iterator(
        elements.map { (element) throws(Failure) in
          try interpreter.charge(1)
          return try transform(element)
        })
    },
    "select": selection(keeping: true, ofAttribute: false),
    "reject": selection(keeping: false, ofAttribute: false),
    "selectattr": selection(keeping: true, ofAttribute: true),
    "rejectattr": selection(keeping: false, ofAttribute: true),
  ]

  private static func mapping(
    _ arguments: Arguments, _ interpreter: Interpreter
  ) throws(Failure) -> (Object) throws(Failure) -> Object {
    if arguments.positional.isEmpty, arguments.named.contains(where: { $0.name == "attribute" }) {
      let values = try arguments.bind(["attribute", "default"], of: "map")
      let path = AttributePath(values[0])
      return { (element) throws(Failure) in try path.value(in: element, default: values[1], interpreter) }
    }
    guard let name = arguments.positional.first?.text else { throw Failure("map requires a filter argument") }
    guard let filter = Filter.named(name.string) else { throw Failure("there is no filter '\(name.string)'") }
    var rest = arguments
    rest.positional.removeFirst()
    return { (element) throws(Failure) in try filter.body(element, rest, interpreter) }
  }

  private static func selection(keeping kept: Bool, ofAttribute: Bool) -> Body {
    { (value, arguments, interpreter) throws(Failure) in
      guard value.isTrue, case let elements = try interpreter.elements(value), !elements.isEmpty else {
        return try .iterator([])
      }
      var rest = arguments
      var path = AttributePath(nil)
      if ofAttribute {
        guard !rest.positional.isEmpty else { throw Failure("Missing parameter for attribute name") }
        path = AttributePath(rest.positional.removeFirst())
      }
      var test = Test { (value, _, _) throws(Failure) in value.isTrue }
      if !rest.positional.isEmpty {
        let name = try Optional(rest.positional.removeFirst()).text("the test's name")
        guard let named = Test.named(name.string) else { throw Failure("there is no test '\(name.string)'") }
        test = named
      }
      return try .iterator(
        elements.filtered { (element) throws(Failure) in
          try interpreter.charge(1)
          return try test.body(path.value(in: element, interpreter), rest, interpreter) == kept
        })
    }
  }
}
