/// How statements end: with the next one, or by leaving or proceeding with the loop around them.
enum Flow {
  case next, leave, proceed
}

extension Interpreter {
  func run(_ statements: [Statement]) throws(Failure) -> Flow {
    for statement in statements {
      let flow = try run(statement)
      if flow != .next { return flow }
    }
    return .next
  }

  private func run(_ statement: Statement) throws(Failure) -> Flow {
    try charge(1)
    switch statement {
    case .text(let text): try write(text.bytes)
    case .output(let expression):
      line = expression.line
      try write(try text(evaluate(expression)).bytes)
    case .assign(let target, let expression):
      line = expression.line
      try assign(try evaluate(expression), to: target)
    case .leave: return .leave
    case .proceed: return .proceed
    case .branch(let branches, let otherwise):
      return try nested { () throws(Failure) in try run(branches, otherwise: otherwise) }
    case .loop(let loop): return try nested { () throws(Failure) in try run(loop) }
    case .capture(let target, let filters, let body, let line):
      return try nested { () throws(Failure) in
        var flow = Flow.next
        let text = try capture { () throws(Failure) in
          try inScope(Scope(in: scope)) { () throws(Failure) in flow = try run(body) }
        }
        guard flow == .next else { return flow }
        self.line = line
        try assign(try apply(filters, to: .string(text)), to: target)
        return .next
      }
    case .filter(let filters, let body, let line):
      return try nested { () throws(Failure) in
        var flow = Flow.next
        let text = try capture { () throws(Failure) in
          try inScope(Scope(in: scope)) { () throws(Failure) in flow = try run(body) }
        }
        guard flow == .next else { return flow }
        self.line = line
        guard case .string(let filtered) = try apply(filters, to: .string(text)) else {
          throw Failure("the filter of a filter block must give a string")
        }
        try write(filtered.bytes)
        return .next
      }
    case .with(let assignments, let body):
      return try nested { () throws(Failure) in
        let inner = Scope(in: scope)
        for (target, value) in assignments {
          line = value.line
          let value = try evaluate(value)
          try inScope(inner) { () throws(Failure) in try assign(value, to: target) }
        }
        return try inScope(inner) { () throws(Failure) in try run(body) }
      }
    case .macro(let definition):
      if let symbol = definition.symbol { scope.set(symbol, .host(macro(definition))) }
    case .call(let callee, let arguments, let caller, let line):
      try nested { () throws(Failure) in
        self.line = line
        let callee = try evaluate(callee)
        var arguments = try evaluate(arguments)
        arguments.named.append(("caller", .host(macro(caller))))
        try write(try text(call(callee, arguments)).bytes)
      }
    case .generation(let body):
      try nested { () throws(Failure) in
        _ = try inScope(Scope(in: scope)) { () throws(Failure) in try run(body) }
      }
    }
    return .next
  }

  private func run(
    _ branches: [(condition: Expression, body: [Statement])], otherwise: [Statement]
  ) throws(Failure) -> Flow {
    for (condition, body) in branches {
      line = condition.line
      if try evaluate(condition).isTrue { return try run(body) }
    }
    return try run(otherwise)
  }

  private func run(_ statement: LoopStatement) throws(Failure) -> Flow {
    line = statement.iterable.line
    return try run(statement, over: evaluate(statement.iterable), level: 0)
  }

  /// - Parameter level: how many calls of `loop` this is inside of.
  func run(_ statement: LoopStatement, over iterable: Object, level: Int) throws(Failure) -> Flow {
    var items = try elements(iterable)
    if let condition = statement.condition {
      items = try items.filtered { (item) throws(Failure) in
        try inScope(Scope(in: scope)) { () throws(Failure) in
          try assign(item, to: statement.target)
          return try evaluate(condition).isTrue
        }
      }
    }
    // As in Jinja, an iteration that breaks or continues does not keep `else` away.
    var isElse = true
    let loop = Loop(
      items, depth: iterable.depth, level: level, recursion: statement.isRecursive ? (statement, scope) : nil)
    if statement.isRecursive { keep(loop) }
    for (index, item) in items.enumerated() {
      try charge(1)
      loop.index = index
      let inner = Scope(in: scope)
      if let symbol = loopSymbol { inner.set(symbol, .host(loop)) }
      let flow = try inScope(inner) { () throws(Failure) in
        try assign(item, to: statement.target)
        return try run(statement.body)
      }
      if flow == .next { isElse = false }
      if flow == .leave { break }
    }
    guard isElse else { return .next }
    return try inScope(Scope(in: scope)) { () throws(Failure) in try run(statement.otherwise) }
  }

  func assign(_ value: Object, to target: Target) throws(Failure) {
    switch target {
    case .name(let symbol): scope.set(symbol, value)
    case .tuple(let targets):
      if case .undefined = value { throw Failure("cannot unpack an undefined value") }
      let elements = try elements(value)
      guard elements.count == targets.count else {
        throw Failure("cannot unpack \(elements.count) values into \(targets.count) variables")
      }
      for (target, element) in zip(targets, elements) { try assign(element, to: target) }
    case .attribute(let symbol, let name):
      guard case .host(let host)? = scope[symbol], let namespace = host as? Namespace else {
        throw Failure("cannot assign attribute on non-namespace object")
      }
      try Namespace.check(name)
      namespace.set(.string(name), value)
    }
  }
}
