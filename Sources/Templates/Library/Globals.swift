/// The functions that every template has.
enum Globals {
  static func function(_ name: Text) -> Object? {
    switch name {
    case "range": make("range", range)
    case "dict": .host(DictionaryType())
    case "namespace":
      make("namespace") { (arguments, interpreter) throws(Failure) in
        let namespace = try Namespace(pairs(arguments, interpreter))
        interpreter.keep(namespace)
        return .host(namespace)
      }
    case "raise_exception":
      make("raise_exception") { (arguments, interpreter) throws(Failure) in
        let message = try arguments.bind(["message"], of: "raise_exception")[0].required("raise_exception: message")
        throw Failure.raised(try interpreter.text(message).string)
      }
    case "strftime_now":
      make("strftime_now") { (arguments, interpreter) throws(Failure) in
        let format = try arguments.bind(["format"], of: "strftime_now")[0].text("strftime_now: format")
        return .string(try interpreter.now.formatted(format))
      }
    case "cycler":
      make("cycler") { (arguments, _) throws(Failure) in .host(try Cycler(arguments.positional)) }
    case "joiner":
      make("joiner") { (arguments, _) throws(Failure) in
        .host(Joiner(try arguments.bind(["sep"], of: "joiner")[0] ?? .string(", ")))
      }
    case "lipsum":
      make("lipsum") { (_, _) throws(Failure) in throw Failure("'lipsum' is not supported in chat templates") }
    default: nil
    }
  }

  private static func make(_ name: String, _ body: @escaping Function.Body) -> Object { .host(Function(name, body)) }

  private static func range(_ arguments: Arguments, _ interpreter: Interpreter) throws(Failure) -> Object {
    guard (1...3).contains(arguments.positional.count), arguments.named.isEmpty else {
      throw Failure("range takes one to three positional arguments")
    }
    let numbers = try arguments.positional.map { (argument) throws(Failure) in
      if case .undefined(let reason) = argument { throw Failure(reason) }
      return try Optional(argument).integer("range: each argument")
    }
    let (start, stop) = numbers.count == 1 ? (0, numbers[0]) : (numbers[0], numbers[1])
    let step = numbers.count == 3 ? numbers[2] : 1
    guard step != 0 else { throw Failure("range: the third argument must not be zero") }
    let distance = Double(stop) - Double(start)
    guard distance / Double(step) <= Double(Limits.range) else {
      throw Failure("range: more than \(Limits.range) numbers")
    }
    let description = "range(\(start), \(stop)" + (step == 1 ? ")" : ", \(step))")
    let elements = stride(from: start, to: stop, by: step).map { Object.integer($0) }
    try interpreter.charge(elements.count)
    return .range(try Elements(elements), description: description)
  }

  /// What is left of a range that was sliced: a range again.
  static func range(_ elements: [Object]) throws(Failure) -> Object {
    let numbers = elements.compactMap(\.integer)
    let start = numbers.first ?? 0
    let (step, isFar) = numbers.count > 1 ? numbers[1].subtractingReportingOverflow(start) : (1, false)
    let (length, isLong) = step.multipliedReportingOverflow(by: numbers.count)
    let (stop, isBeyond) = start.addingReportingOverflow(length)
    guard !isFar, !isLong, !isBeyond else { throw Failure("an integer too large") }
    return .range(
      try Elements(elements), description: "range(\(start), \(stop)" + (step == 1 ? ")" : ", \(step))"))
  }

  /// dict(mapping or pairs, name=value, …)
  static func pairs(
    _ arguments: Arguments, _ interpreter: Interpreter
  ) throws(Failure) -> [(key: Object, value: Object)] {
    guard arguments.positional.count <= 1 else {
      throw Failure("dict expected at most 1 argument, got \(arguments.positional.count)")
    }
    var pairs: [(key: Object, value: Object)] = []
    if let first = arguments.positional.first {
      switch first {
      case .dictionary(let dictionary): pairs = dictionary.pairs
      case .undefined(let reason): throw Failure(reason)
      default:
        for element in try interpreter.elements(first) {
          let pair = try interpreter.elements(element)
          guard pair.count == 2 else { throw Failure("dict: each element must be a pair, not of length \(pair.count)") }
          pairs.append((pair[0], pair[1]))
        }
      }
    }
    pairs += arguments.named.map { (.string($0.name), $0.value) }
    for pair in pairs { try interpreter.charge(pair.key.weight) }
    return pairs
  }
}

/// dict, which is called, and whose `fromkeys` is.
private final class DictionaryType: Host {
  let type = "TemplateDict"

  func call(_ arguments: Arguments, _ interpreter: Interpreter) throws(Failure) -> Object {
    .dictionary(try Dictionary(Globals.pairs(arguments, interpreter)))
  }

  func attribute(_ name: Text) -> Object? {
    guard name == "fromkeys" else { return nil }
    return .host(Function("fromkeys", type: "method", Methods.fromKeys))
  }
}
