extension Interpreter {
  func evaluate(_ expression: Expression) throws(Failure) -> Object {
    try charge(1)
    switch expression.kind {
    case .literal(let literal): return Object(literal)
    case .name(let symbol): return scope[symbol] ?? .undefined("'\(names[symbol].string)' is undefined")
    default:
      return try nested { () throws(Failure) in try evaluateCompound(expression) }
    }
  }

  private func evaluateCompound(_ expression: Expression) throws(Failure) -> Object {
    switch expression.kind {
    case .literal, .name: return try evaluate(expression)
    case .list(let elements): return try .list(evaluate(elements))
    case .tuple(let elements): return try .tuple(evaluate(elements))
    case .dictionary(let pairs):
      return .dictionary(
        try Dictionary(
          pairs.map { (pair) throws(Failure) in
            let key = try evaluate(pair.key)
            try charge(key.weight)
            return (key, try evaluate(pair.value))
          }))
    case .attribute(let object, let name): return try attribute(name, of: evaluate(object))
    case .subscripted(let object, let index): return try subscripted(evaluate(object), by: evaluate(index))
    case .slice(let object, let start, let stop, let step):
      let object = try evaluate(object)
      let bounds = try [start, stop, step].map { (bound) throws(Failure) -> Int? in
        guard let bound else { return nil }
        return try sliceBound(evaluate(bound))
      }
      return try slice(object, from: bounds[0], to: bounds[1], by: bounds[2])
    case .call(let callee, let arguments):
      let callee = try evaluate(callee)
      let arguments = try evaluate(arguments)
      line = expression.line
      return try call(callee, arguments)
    case .filter(let value, let filter): return try apply(filter, to: evaluate(value))
    case .test(let value, let test):
      let value = try evaluate(value)
      return .boolean(try test.test.body(value, evaluate(test.arguments), self))
    case .not(let operand): return .boolean(try !evaluate(operand).isTrue)
    case .negative(let operand): return try negated(evaluate(operand))
    case .positive(let operand): return try positive(evaluate(operand))
    case .arithmetic(let left, let symbol, let right):
      let left = try evaluate(left)
      return try arithmetic(left, symbol, evaluate(right))
    case .concatenation(let operands):
      var text = Text("")
      for operand in operands {
        text.append(try self.text(evaluate(operand)))
        try checkLength(text.bytes.count)
      }
      try charge(text.bytes.count / 64)
      return .string(text)
    case .comparison(let first, let rest):
      var left = try evaluate(first)
      for next in rest {
        let right = try evaluate(next.operand)
        guard try compare(left, next.comparator, right) else { return .boolean(false) }
        left = right
      }
      return .boolean(true)
    case .and(let left, let right):
      let left = try evaluate(left)
      return left.isTrue ? try evaluate(right) : left
    case .or(let left, let right):
      let left = try evaluate(left)
      return left.isTrue ? left : try evaluate(right)
    case .conditional(let value, let condition, let otherwise):
      if try evaluate(condition).isTrue { return try evaluate(value) }
      guard let otherwise else {
        return .undefined("the inline if-expression evaluated to false and no else section was defined")
      }
      return try evaluate(otherwise)
    }
  }

  private func evaluate(_ expressions: [Expression]) throws(Failure) -> [Object] {
    try expressions.map { (expression) throws(Failure) in try evaluate(expression) }
  }

  func evaluate(_ call: CallArguments) throws(Failure) -> Arguments {
    var arguments = Arguments()
    arguments.positional = try evaluate(call.positional)
    for argument in arguments.positional { try chargeText(argument) }
    for (name, value) in call.named {
      let value = try evaluate(value)
      try chargeText(value)
      arguments.named.append((name, value))
    }
    if let spread = call.spread {
      let elements = try elements(try evaluate(spread))
      for element in elements { try chargeText(element) }
      arguments.positional += elements
    }
    if let spread = call.spreadNamed {
      guard case .dictionary(let dictionary) = try evaluate(spread) else {
        throw Failure("the argument after '**' must be a dictionary")
      }
      for (key, value) in dictionary.pairs {
        guard let name = key.text else { throw Failure("the keys of a '**' argument must be strings") }
        try charge(value.weight + arguments.named.count)
        guard !arguments.named.contains(where: { $0.name == name }) else {
          throw Failure("the argument '\(name.string)' is given twice")
        }
        arguments.named.append((name, value))
      }
    }
    return arguments
  }

  func apply(_ call: FilterCall, to value: Object) throws(Failure) -> Object {
    let arguments = try evaluate(call.arguments)
    line = call.line
    return try call.filter.body(value, arguments, self)
  }

  func apply(_ filters: [FilterCall], to value: Object) throws(Failure) -> Object {
    var value = value
    for filter in filters { value = try apply(filter, to: value) }
    return value
  }

  func call(_ callee: Object, _ arguments: Arguments) throws(Failure) -> Object {
    switch callee {
    case .host(let host): return try host.call(arguments, self)
    case .undefined(let reason): throw Failure(reason)
    default: throw Failure("'\(callee.type)' object is not callable")
    }
  }
}

extension Object {
  init(_ literal: Literal) {
    switch literal {
    case .none: self = .none
    case .boolean(let value): self = .boolean(value)
    case .integer(let value): self = .integer(value)
    case .float(let value): self = .float(value)
    case .string(let text): self = .string(text)
    }
  }
}
