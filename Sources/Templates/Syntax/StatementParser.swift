/// Statements, and the text between them.
extension Parser {
  /// What stands up to a tag that opens with one of `ends`, with that tag's name the current token; up to the end of
  /// the template where there are none.
  mutating func statements(until ends: [String]) throws(Failure) -> [Statement] {
    var body: [Statement] = []
    while true {
      switch current.kind {
      case .data(let text):
        next()
        body.append(.text(text))
      case .variableBegin:
        next()
        body.append(.output(try tuple()))
        try expect(.variableEnd)
      case .blockBegin:
        next()
        if case .name(let name) = current.kind, ends.contains(name) { return body }
        body += try nested { (parser) throws(Failure) in try parser.statement() }
        try expect(.blockEnd)
      default:
        guard ends.isEmpty else {
          throw Failure("expected '\(ends.joined(separator: "' or '"))' before the end of the template", line: line)
        }
        return body
      }
    }
  }

  /// The rest of a tag and the statements behind it; one of `ends` is the current token then.
  private mutating func body(until ends: String...) throws(Failure) -> [Statement] {
    _ = skip(symbol: ":")
    try expect(.blockEnd)
    return try statements(until: ends)
  }

  private mutating func statement() throws(Failure) -> [Statement] {
    let line = line
    let name = try expectName()
    switch name {
    case "if": return [try branch()]
    case "for": return [try loop()]
    case "set": return [try set(line: line)]
    case "with": return [try with()]
    case "macro": return [try macro()]
    case "call": return [try callBlock(line: line)]
    case "filter": return [try filterBlock(line: line)]
    case "generation":
      let body = try scope { (parser) throws(Failure) in try parser.body(until: "endgeneration") }
      next()
      return [.generation(body)]
    case "print":
      var output: [Statement] = []
      while current.kind != .blockEnd {
        if !output.isEmpty { try expect(.symbol(",")) }
        output.append(.output(try expression()))
      }
      return output
    case "break", "continue":
      guard loopDepth > 0 else { throw Failure("'\(name)' outside a loop", line: line) }
      return [name == "break" ? .leave : .proceed]
    case "include", "import", "from", "extends", "block", "autoescape":
      throw Failure("'\(name)' is not supported in chat templates", line: line)
    default: throw Failure("unknown tag '\(name)'", line: line)
    }
  }

  /// Reads what is a function of its own: no loop around it can be left, and no condition is around it.
  private mutating func scope<T>(_ read: (inout Parser) throws(Failure) -> T) throws(Failure) -> T {
    let outer = loopDepth
    loopDepth = 0
    defer { loopDepth = outer }
    return try reading(conditionally: false, read)
  }

  private mutating func branch() throws(Failure) -> Statement {
    try reading(conditionally: true) { (parser) throws(Failure) in
      var branches: [(condition: Expression, body: [Statement])] = []
      while true {
        let condition = try parser.tuple(conditional: false)
        branches.append((condition, try parser.body(until: "elif", "else", "endif")))
        switch parser.next().kind {
        case .name("elif"): continue
        case .name("else"):
          let otherwise = try parser.body(until: "endif")
          parser.next()
          return .branch(branches, otherwise: otherwise)
        default: return .branch(branches, otherwise: [])
        }
      }
    }
  }

  private mutating func loop() throws(Failure) -> Statement {
    let target = try target(end: "in")
    try expect(.name("in"))
    let iterable = try tuple(conditional: false, end: "recursive")
    return try reading(conditionally: false) { (parser) throws(Failure) in
      let condition = parser.skip(name: "if") ? try parser.expression() : nil
      let isRecursive = parser.skip(name: "recursive")
      parser.loopDepth += 1
      let body = try parser.body(until: "endfor", "else")
      parser.loopDepth -= 1
      var otherwise: [Statement] = []
      if parser.next().kind == .name("else") {
        otherwise = try parser.body(until: "endfor")
        parser.next()
      }
      return .loop(
        LoopStatement(
          target: target, iterable: iterable, condition: condition, isRecursive: isRecursive, body: body,
          otherwise: otherwise))
    }
  }

  private mutating func set(line: Int) throws(Failure) -> Statement {
    let target = try target(withNamespace: true)
    if skip(symbol: "=") { return .assign(target, try tuple()) }
    var filters: [FilterCall] = []
    while skip(symbol: "|") { filters.append(try filterCall()) }
    let body = try reading(conditionally: false) { (parser) throws(Failure) in try parser.body(until: "endset") }
    next()
    return .capture(target, filters, body, line: line)
  }

  private mutating func with() throws(Failure) -> Statement {
    var assignments: [(target: Target, value: Expression)] = []
    while current.kind != .blockEnd {
      if !assignments.isEmpty { try expect(.symbol(",")) }
      let target = try target()
      try expect(.symbol("="))
      assignments.append((target, try expression()))
    }
    let body = try reading(conditionally: false) { (parser) throws(Failure) in try parser.body(until: "endwith") }
    next()
    return .with(assignments, body)
  }

  private mutating func macro() throws(Failure) -> Statement {
    let name = try assignableName()
    return .macro(try definition(name: name, end: "endmacro"))
  }

  private mutating func callBlock(line: Int) throws(Failure) -> Statement {
    // The signature stands before the call, and belongs to the body behind it.
    let parameters = isAt(symbol: "(") ? try signature() : []
    let call = try expression()
    guard case .call(let callee, let arguments) = call.kind else {
      throw Failure("expected a call after 'call'", line: line)
    }
    let caller = try definition(name: nil, parameters: parameters, end: "endcall")
    return .call(callee: callee, arguments, caller: caller, line: line)
  }

  private mutating func filterBlock(line: Int) throws(Failure) -> Statement {
    var filters = [try filterCall()]
    while skip(symbol: "|") { filters.append(try filterCall()) }
    let body = try reading(conditionally: false) { (parser) throws(Failure) in try parser.body(until: "endfilter") }
    next()
    return .filter(filters, body, line: line)
  }

  /// The signature, unless it is known, and the body of a macro, up to its end tag.
  private mutating func definition(
    name: String?, parameters: [MacroDefinition.Parameter]? = nil, end: String
  ) throws(Failure) -> MacroDefinition {
    let opening = line
    specialNames.append([])
    defer { specialNames.removeLast() }
    let (parameters, body) = try scope { (parser) throws(Failure) -> ([MacroDefinition.Parameter], [Statement]) in
      let parameters = if let parameters { parameters } else { try parser.signature() }
      // A default may use special names without making them arguments.
      parser.specialNames[parser.specialNames.count - 1] = []
      return (parameters, try parser.body(until: end))
    }
    next()
    let used = specialNames[specialNames.count - 1]
    func special(_ name: String, in parser: inout Parser) -> Symbol? {
      used.contains(name) && !parameters.contains { $0.name == Text(name) } ? parser.symbol(name) : nil
    }
    if used.contains("caller"), parameters.contains(where: { $0.name == "caller" && $0.defaultValue == nil }) {
      throw Failure("a parameter 'caller' needs a default", line: opening)
    }
    return MacroDefinition(
      name: name.map { Text($0) }, symbol: name.map { symbol($0) }, parameters: parameters, body: body,
      caller: special("caller", in: &self), named: special("kwargs", in: &self), rest: special("varargs", in: &self))
  }

  private mutating func signature() throws(Failure) -> [MacroDefinition.Parameter] {
    try expect(.symbol("("))
    var parameters: [MacroDefinition.Parameter] = []
    var names: Set<Text> = []
    while !skip(symbol: ")") {
      if !parameters.isEmpty { try expect(.symbol(",")) }
      let name = try assignableName()
      guard names.insert(Text(name)).inserted else {
        throw Failure("the parameter '\(name)' occurs twice", line: line)
      }
      let defaultValue = skip(symbol: "=") ? try expression() : nil
      if defaultValue == nil, parameters.last?.defaultValue != nil {
        throw Failure("a parameter without a default after one with a default", line: line)
      }
      parameters.append(.init(symbol: symbol(name), name: Text(name), defaultValue: defaultValue))
    }
    return parameters
  }

  /// What is assigned to: a name, a tuple of targets, or an attribute of a namespace.
  private mutating func target(end: String? = nil, withNamespace: Bool = false) throws(Failure) -> Target {
    var targets: [Target] = []
    var isTuple = false
    while current.kind != .blockEnd, !isAt(symbol: ")"), !(end.map(isAt(name:)) ?? false) {
      targets.append(try singleTarget(withNamespace: withNamespace))
      guard skip(symbol: ",") else { break }
      isTuple = true
    }
    guard let first = targets.first else { throw unexpected(expected: "a variable to assign to") }
    return isTuple ? .tuple(targets) : first
  }

  private mutating func singleTarget(withNamespace: Bool) throws(Failure) -> Target {
    if skip(symbol: "(") {
      let inner = try nested { (parser) throws(Failure) in try parser.target(withNamespace: withNamespace) }
      try expect(.symbol(")"))
      return inner
    }
    if withNamespace, case .name(let name) = current.kind, following.kind == .symbol(".") {
      next()
      next()
      return .attribute(symbol(name), Text(try expectName()))
    }
    return .name(symbol(try assignableName()))
  }

  private mutating func assignableName() throws(Failure) -> String {
    guard case .name(let name) = current.kind, !["true", "True", "false", "False", "none", "None"].contains(name) else {
      throw unexpected(expected: "a variable's name")
    }
    next()
    return name
  }
}
