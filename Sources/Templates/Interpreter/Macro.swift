/// A macro, or the body of a call block, with the scope in which it was defined.
final class Macro: Host {
  let type = "Macro"
  let definition: MacroDefinition
  private var scope: Scope?

  init(_ definition: MacroDefinition, in scope: Scope) {
    self.definition = definition
    self.scope = scope
  }

  private var name: String { definition.name?.string ?? "caller" }

  func attribute(_ name: Text) -> Object? {
    switch name {
    case "name": definition.name.map { .string($0) } ?? Object.none
    case "arguments": try? .tuple(definition.parameters.map { .string($0.name) })
    case "caller": .boolean(definition.caller != nil)
    case "catch_kwargs": .boolean(definition.named != nil)
    case "catch_varargs": .boolean(definition.rest != nil)
    default: nil
    }
  }

  func description(_ printer: inout Printer) throws(Failure) {
    try printer.write("<Macro ")
    if let name = definition.name {
      try printer.write(.string(name), asRepr: true)
    } else {
      try printer.write("anonymous")
    }
    try printer.write(">")
  }

  func release() { scope = nil }

  func call(_ arguments: Arguments, _ interpreter: Interpreter) throws(Failure) -> Object {
    let line = interpreter.line
    let inner = Scope(in: scope)
    // Each parameter is looked for among the names.
    try interpreter.charge(definition.parameters.count * arguments.named.count)
    let defaults = try bind(arguments, in: inner)
    let text = try interpreter.nested { () throws(Failure) in
      try interpreter.inScope(inner) { () throws(Failure) in
        for (parameter, expression) in defaults {
          guard let expression else {
            inner.set(parameter.symbol, .undefined("parameter '\(parameter.name.string)' was not provided"))
            continue
          }
          inner.set(parameter.symbol, try interpreter.evaluate(expression))
        }
        return try interpreter.capture { () throws(Failure) in _ = try interpreter.run(definition.body) }
      }
    }
    interpreter.line = line
    return .string(text)
  }

  /// Sets what is given; returns the parameters that are not, with their defaults.
  private func bind(
    _ arguments: Arguments, in scope: Scope
  ) throws(Failure) -> [(parameter: MacroDefinition.Parameter, defaultValue: Expression?)] {
    let parameters = definition.parameters
    var named = arguments.named
    func take(_ name: Text) -> Object? {
      named.firstIndex { $0.name == name }.map { named.remove(at: $0).value }
    }
    var missing: [(parameter: MacroDefinition.Parameter, defaultValue: Expression?)] = []
    for (index, parameter) in parameters.enumerated() {
      if index < arguments.positional.count {
        scope.set(parameter.symbol, arguments.positional[index])
      } else if let value = take(parameter.name) {
        scope.set(parameter.symbol, value)
      } else {
        missing.append((parameter, parameter.defaultValue))
      }
    }
    if let caller = definition.caller {
      scope.set(caller, take("caller") ?? .undefined("no caller defined"))
    }
    if let symbol = definition.named {
      scope.set(symbol, .dictionary(try Dictionary(named.map { (.string($0.name), $0.value) })))
    } else if let extra = named.first {
      throw Failure("macro '\(name)' takes no keyword argument '\(extra.name.string)'")
    }
    let rest = Array(arguments.positional.dropFirst(parameters.count))
    if let symbol = definition.rest {
      scope.set(symbol, try .tuple(rest))
    } else if !rest.isEmpty {
      throw Failure("macro '\(name)' takes not more than \(parameters.count) argument(s)")
    }
    return missing
  }
}

extension Interpreter {
  func macro(_ definition: MacroDefinition) -> Macro {
    let macro = Macro(definition, in: scope)
    keep(macro)
    return macro
  }
}
