import Foundation
import Values

/// Runs a template: statements write the output, expressions give values.
///
/// Bounded in time (steps of evaluation), in depth of calls and in output, so that no template holds up its caller.
final class Renderer {
  private static let maximumSteps = 5_000_000
  private static let maximumDepth = 100
  private static let maximumOutput = 64 << 20

  private(set) var output = ""
  private(set) var generated: [Range<Int>] = []
  /// Of the statement that is being run.
  private(set) var line = 1
  let now: Date
  private var steps = 0
  private var depth = 0
  private var scope = Scope()

  /// What a statement says of the loop that it stands in.
  private enum Flow { case go, breakLoop, continueLoop }

  init(now: Date) { self.now = now }

  func run(_ statements: [Statement], _ variables: Table) throws {
    scope = Scope(Globals.functions)
    scope = Scope(Dictionary(variables.map { ($0.key, TemplateValue($0.value)) }) { $1 }, in: scope)
    _ = try run(statements)
  }

  /// Counts work done: `amount` steps.
  func spend(_ amount: Int = 1) throws {
    steps += amount
    if steps > Self.maximumSteps { throw TemplateFailure("the template takes too long") }
  }

  private func write(_ text: String) throws {
    output += text
    if output.utf8.count > Self.maximumOutput { throw TemplateFailure("the template writes too much") }
  }

  // MARK: Statements

  private func run(_ statements: [Statement]) throws -> Flow {
    for statement in statements {
      line = statement.line
      try spend()
      let flow = try run(statement)
      if flow != .go { return flow }
    }
    return .go
  }

  private func run(_ statement: Statement) throws -> Flow {
    switch statement.kind {
    case .text(let text): try write(text)
    case .output(let expression): try write(try evaluate(expression).text)
    case .branch(let branches, let otherwise):
      for (condition, body) in branches where try evaluate(condition).isTrue { return try run(body) }
      return try run(otherwise)
    case .loop(let loop): try run(loop)
    case .assign(let target, let value): try assign(target, try evaluate(value))
    case .capture(let target, let filters, let body):
      let text = try capture { try self.runInner(body) }
      try assign(target, try apply(filters, to: .string(text)))
    case .macro(let macro): scope.set(macro.name, .function(function(macro)))
    case .call(let expression, let caller):
      guard case .call(let callee, let arguments) = expression else { break }
      var given = try evaluate(arguments)
      given.named.append(("caller", .function(function(caller))))
      try write(try call(try evaluate(callee), given).text)
    case .filter(let filters, let body):
      let text = try capture { try self.runInner(body) }
      try write(try apply(filters, to: .string(text)).text)
    case .with(let assignments, let body):
      let values = try assignments.map { try evaluate($0.1) }
      try inner { renderer in
        for ((target, _), value) in zip(assignments, values) { try renderer.assign(target, value) }
        _ = try renderer.run(body)
      }
    case .generation(let body):
      let start = output.utf8.count
      try runInner(body)
      generated.append(start..<output.utf8.count)
    case .breakLoop: return .breakLoop
    case .continueLoop: return .continueLoop
    }
    return .go
  }

  private func inner<T>(_ body: (Renderer) throws -> T) rethrows -> T {
    let outer = scope
    scope = Scope(in: outer)
    defer { scope = outer }
    return try body(self)
  }

  private func runInner(_ body: [Statement]) throws { try inner { renderer in _ = try renderer.run(body) } }

  /// What `body` writes, in place of the output.
  private func capture(_ body: () throws -> Void) throws -> String {
    let before = output
    output = ""
    defer { output = before }
    try body()
    return output
  }

  private func run(_ loop: Loop) throws {
    var items = try evaluate(loop.sequence).sequence(for: "a loop")
    if let condition = loop.condition {
      items = try items.filter { item in
        try inner { renderer in
          try renderer.assign(loop.target, item)
          return try renderer.evaluate(condition).isTrue
        }
      }
    }
    if items.isEmpty { return try runInner(loop.otherwise) }
    let state = LoopState(items)
    for index in items.indices {
      try spend()
      state.index = index
      let flow = try inner { renderer in
        renderer.scope.set("loop", .loop(state))
        try renderer.assign(loop.target, items[index])
        return try renderer.run(loop.body)
      }
      if flow == .breakLoop { break }
    }
  }

  private func assign(_ target: Target, _ value: TemplateValue) throws {
    switch target {
    case .name(let name): scope.set(name, value)
    case .attribute(let object, let name):
      guard case .namespace(let namespace)? = scope.find(object) else {
        throw TemplateFailure("cannot assign to '\(object).\(name)': '\(object)' is not a namespace")
      }
      namespace.attributes.set(.string(name), value)
    case .tuple(let targets):
      let values = try value.sequence(for: "an assignment to several names")
      guard values.count == targets.count else {
        throw TemplateFailure("\(values.count) values cannot be assigned to \(targets.count) names")
      }
      for (target, value) in zip(targets, values) { try assign(target, value) }
    }
  }

  // MARK: Macros

  private func function(_ macro: Macro) -> TemplateFunction {
    let definition = scope
    return TemplateFunction(
      name: macro.name,
      body: { renderer, arguments in try renderer.run(macro, arguments, in: definition) }, takesCaller: true)
  }

  private func run(_ macro: Macro, _ arguments: CallArguments, in definition: Scope) throws -> TemplateValue {
    let names = macro.parameters.map(\.name)
    let outer = scope
    scope = Scope(in: definition)
    defer { scope = outer }
    for (index, parameter) in macro.parameters.enumerated() {
      if let value = arguments.optional(index, parameter.name) {
        scope.set(parameter.name, value)
      } else if let fallback = parameter.fallback {
        scope.set(parameter.name, try evaluate(fallback))
      } else {
        scope.set(parameter.name, .undefined(parameter.name))
      }
    }
    let further = arguments.positional.dropFirst(names.count)
    scope.set("varargs", .tuple(Array(further)))
    var keywords = TemplateDictionary()
    for (name, value) in arguments.named where !names.contains(name) {
      if name == "caller" { scope.set(name, value) } else { keywords.set(.string(name), value) }
    }
    scope.set("kwargs", .dictionary(keywords))
    return .string(try capture { _ = try self.run(macro.body) })
  }

  // MARK: Expressions

  func evaluate(_ expression: Expression) throws -> TemplateValue {
    try spend()
    switch expression {
    case .constant(let value): return value
    case .name(let name): return scope.find(name) ?? .undefined(name)
    case .list(let items): return .list(try items.map(evaluate))
    case .tuple(let items): return .tuple(try items.map(evaluate))
    case .dictionary(let entries):
      var dictionary = TemplateDictionary()
      for (key, value) in entries {
        let key = try evaluate(key)
        guard dictionary.set(key, try evaluate(value)) else { throw TemplateFailure("a \(key.kind) cannot be a key") }
      }
      return .dictionary(dictionary)
    case .attribute(let object, let name): return try evaluate(object).attribute(name)
    case .item(let object, let index): return try evaluate(object).item(try evaluate(index))
    case .slice(let object, let start, let stop, let step):
      return try evaluate(object).slice(
        start: try start.map(evaluate), stop: try stop.map(evaluate), step: try step.map(evaluate))
    case .call(let callee, let arguments): return try call(try evaluate(callee), try evaluate(arguments))
    case .filter(let value, let name, let arguments):
      return try Filters.apply(name, to: try evaluate(value), try evaluate(arguments), self)
    case .test(let value, let name, let arguments):
      return .boolean(try Tests.check(name, try evaluate(value), try evaluate(arguments)))
    case .negate(let value):
      let value = try evaluate(value)
      return try Arithmetic.apply(.subtract, .integer(0), value, sign: true)
    case .plus(let value): return try evaluate(value)
    case .not(let value): return .boolean(!(try evaluate(value).isTrue))
    case .and(let left, let right):
      let left = try evaluate(left)
      return left.isTrue ? try evaluate(right) : left
    case .or(let left, let right):
      let left = try evaluate(left)
      return left.isTrue ? left : try evaluate(right)
    case .binary(let operation, let left, let right):
      return try Arithmetic.apply(operation, try evaluate(left), try evaluate(right))
    case .compare(let first, let rest):
      var left = try evaluate(first)
      for (comparison, operand) in rest {
        let right = try evaluate(operand)
        guard try Arithmetic.compare(comparison, left, right) else { return .boolean(false) }
        left = right
      }
      return .boolean(true)
    case .conditional(let condition, let then, let otherwise):
      if try evaluate(condition).isTrue { return try evaluate(then) }
      return try otherwise.map(evaluate) ?? .undefined("the inline if-expression without an else")
    }
  }

  private func evaluate(_ arguments: Arguments) throws -> CallArguments {
    var values = CallArguments(positional: try arguments.positional.map(evaluate))
    for (name, value) in arguments.named { values.named.append((name, try evaluate(value))) }
    if let rest = arguments.positionalRest { values.positional += try evaluate(rest).sequence(for: "'*'") }
    if let rest = arguments.namedRest {
      guard case .dictionary(let dictionary) = try evaluate(rest) else { throw TemplateFailure("'**' needs a mapping") }
      for (key, value) in dictionary.entries { values.named.append((key.text, value)) }
    }
    return values
  }

  func call(_ callee: TemplateValue, _ arguments: CallArguments) throws -> TemplateValue {
    switch callee {
    case .function(let function):
      depth += 1
      defer { depth -= 1 }
      guard depth <= Self.maximumDepth else { throw TemplateFailure("calls are nested too deep") }
      return try function.body(self, arguments)
    case .undefined(let name): throw TemplateFailure("'\(name)' is undefined")
    default: throw TemplateFailure("a \(callee.kind) cannot be called")
    }
  }

  private func apply(_ filters: [FilterCall], to value: TemplateValue) throws -> TemplateValue {
    try filters.reduce(value) { value, filter in
      try Filters.apply(filter.name, to: value, try evaluate(filter.arguments), self)
    }
  }
}
