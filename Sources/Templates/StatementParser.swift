extension Parser {
  /// All of a template.
  mutating func template() throws -> [Statement] {
    let (body, _) = try body(until: [])
    return body
  }

  /// Statements up to a block tag that begins with one of `ends`; says which one it was, and leaves what follows its
  /// name.
  private mutating func body(until ends: Set<String>) throws -> ([Statement], end: String) {
    var statements: [Statement] = []
    while true {
      let line = self.line
      switch current {
      case .text(let text):
        advance()
        statements.append(Statement(kind: .text(text), line: line))
      case .variableBegin:
        advance()
        statements.append(Statement(kind: .output(try tupleOrExpression()), line: line))
        try expect(.variableEnd)
      case .blockBegin:
        advance()
        let name = try expectName()
        if ends.contains(name) { return (statements, name) }
        statements.append(
          Statement(kind: try nested { parser in try parser.block(name, line: line) }, line: line))
      case .end:
        guard ends.isEmpty else {
          throw failure("expected '{% \(ends.sorted().last ?? "") %}', found the end of the template")
        }
        return (statements, "")
      default: throw failure("unexpected \(Self.text(current))")
      }
    }
  }

  /// A body that ends with {% name %}.
  private mutating func body(_ end: String) throws -> [Statement] {
    let (body, _) = try body(until: [end])
    try expect(.blockEnd)
    return body
  }

  private mutating func block(_ name: String, line: Int) throws -> Statement.Kind {
    switch name {
    case "if": return try branch()
    case "for": return try loop()
    case "set": return try set()
    case "macro":
      let name = try expectName()
      let parameters = try parameters()
      try expect(.blockEnd)
      return .macro(Macro(name: name, parameters: parameters, body: try body("endmacro")))
    case "call":
      let parameters = isSymbol("(") ? try parameters() : []
      let call = try expression()
      guard case .call = call else { throw failure("expected a call of a macro") }
      try expect(.blockEnd)
      return .call(call, Macro(name: "caller", parameters: parameters, body: try body("endcall")))
    case "filter":
      let first = try expectName()
      guard Filters.exists(first) else { throw failure("there is no filter '\(first)'") }
      var filters = [FilterCall(name: first, arguments: isSymbol("(") ? try arguments() : Arguments())]
      while isSymbol("|") { filters.append(try filterCall()) }
      try expect(.blockEnd)
      return .filter(filters, body: try body("endfilter"))
    case "with":
      var assignments: [(Target, Expression)] = []
      while current != .blockEnd {
        if !assignments.isEmpty { try expect(.symbol(",")) }
        let target = try target()
        try expect(.symbol("="))
        assignments.append((target, try expression()))
      }
      advance()
      return .with(assignments, body: try body("endwith"))
    case "generation":
      try expect(.blockEnd)
      return .generation(try body("endgeneration"))
    case "break", "continue":
      try expect(.blockEnd)
      return name == "break" ? .breakLoop : .continueLoop
    case "block", "extends", "include", "import", "from", "autoescape", "do", "trans", "debug":
      throw TemplateFailure("the tag '\(name)' is not supported in chat templates", line: line)
    default: throw TemplateFailure("unknown tag '\(name)'", line: line)
    }
  }

  private mutating func branch() throws -> Statement.Kind {
    var branches: [(condition: Expression, body: [Statement])] = []
    var condition = try tupleOrExpression()
    while true {
      try expect(.blockEnd)
      let (body, end) = try body(until: ["elif", "else", "endif"])
      branches.append((condition, body))
      if end == "elif" {
        condition = try tupleOrExpression()
        continue
      }
      try expect(.blockEnd)
      return .branch(branches, otherwise: end == "else" ? try self.body("endif") : [])
    }
  }

  private mutating func loop() throws -> Statement.Kind {
    let target = try target()
    guard skip(.name("in")) else { throw failure("expected 'in', found \(Self.text(current))") }
    let sequence = try tupleOrExpression(withConditionals: false)
    let condition = skip(.name("if")) ? try expression() : nil
    if isName("recursive") { throw failure("recursive loops are not supported in chat templates") }
    try expect(.blockEnd)
    let (body, end) = try body(until: ["else", "endfor"])
    try expect(.blockEnd)
    let otherwise = end == "else" ? try self.body("endfor") : []
    return .loop(Loop(target: target, sequence: sequence, condition: condition, body: body, otherwise: otherwise))
  }

  private mutating func set() throws -> Statement.Kind {
    let target = try target()
    if skip(.symbol("=")) {
      let value = try tupleOrExpression()
      try expect(.blockEnd)
      return .assign(target, value)
    }
    var filters: [FilterCall] = []
    while isSymbol("|") { filters.append(try filterCall()) }
    try expect(.blockEnd)
    return .capture(target, filters: filters, body: try body("endset"))
  }

  private mutating func target() throws -> Target {
    var targets: [Target] = []
    var isTuple = false
    repeat {
      if skip(.symbol("(")) {
        targets.append(try nested { parser in try parser.target() })
        try expect(.symbol(")"))
      } else if case .name = current, !isName("in") {
        let name = try expectName()
        targets.append(skip(.symbol(".")) ? .attribute(name, try expectName()) : .name(name))
      } else if isTuple {
        break
      } else {
        throw failure("expected a name, found \(Self.text(current))")
      }
      if isSymbol(",") { isTuple = true }
    } while skip(.symbol(","))
    return isTuple ? .tuple(targets) : targets[0]
  }

  private mutating func parameters() throws -> [(name: String, fallback: Expression?)] {
    try expect(.symbol("("))
    var parameters: [(name: String, fallback: Expression?)] = []
    while !isSymbol(")") {
      if !parameters.isEmpty { try expect(.symbol(",")) }
      if isSymbol(")") { break }
      let name = try expectName()
      parameters.append((name, skip(.symbol("=")) ? try expression() : nil))
    }
    advance()
    return parameters
  }
}
