/// Reads the tokens of a template; expressions in Jinja's order of precedence.
struct Parser {
  private let tokens: [LocatedToken]
  private var position = 0
  private var depth = 0
  /// Expressions and blocks within each other.
  private static let maximumDepth = 200

  init(_ tokens: [LocatedToken]) { self.tokens = tokens }

  // MARK: Tokens

  var current: Token { tokens[min(position, tokens.count - 1)].token }
  var line: Int { tokens[min(position, tokens.count - 1)].line }
  private var next: Token { tokens[min(position + 1, tokens.count - 1)].token }

  mutating func advance() { position += 1 }

  func failure(_ message: String) -> TemplateFailure { TemplateFailure(message, line: line) }

  func isSymbol(_ symbol: String) -> Bool { current == .symbol(symbol) }
  func isName(_ name: String) -> Bool { current == .name(name) }

  mutating func skip(_ token: Token) -> Bool {
    guard current == token else { return false }
    advance()
    return true
  }

  mutating func expect(_ token: Token) throws {
    guard skip(token) else { throw failure("expected \(Self.text(token)), found \(Self.text(current))") }
  }

  mutating func expectName() throws -> String {
    guard case .name(let name) = current else { throw failure("expected a name, found \(Self.text(current))") }
    advance()
    return name
  }

  static func text(_ token: Token) -> String {
    switch token {
    case .text: "text"
    case .blockBegin: "'{%'"
    case .blockEnd: "'%}'"
    case .variableBegin: "'{{'"
    case .variableEnd: "'}}'"
    case .name(let name): "'\(name)'"
    case .string: "a string"
    case .integer, .number: "a number"
    case .symbol(let symbol): "'\(symbol)'"
    case .end: "the end of the template"
    }
  }

  mutating func nested<T>(_ body: (inout Parser) throws -> T) throws -> T {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else { throw failure("the template is nested too deep") }
    return try body(&self)
  }

  // MARK: Expressions

  mutating func expression() throws -> Expression { try nested { parser in try parser.conditional() } }

  private mutating func conditional() throws -> Expression {
    var value = try or()
    while skip(.name("if")) {
      let condition = try or()
      let otherwise = skip(.name("else")) ? try expression() : nil
      value = .conditional(condition: condition, then: value, otherwise: otherwise)
    }
    return value
  }

  /// An expression, or several with commas between them: a tuple.
  mutating func tupleOrExpression(withConditionals: Bool = true) throws -> Expression {
    func ends(_ parser: Parser) -> Bool {
      switch parser.current {
      case .blockEnd, .variableEnd, .symbol(")"), .end: true
      default: parser.isName("in")
      }
    }
    var items: [Expression] = []
    var isTuple = false
    while !ends(self) {
      items.append(try withConditionals ? expression() : nested { parser in try parser.or() })
      guard skip(.symbol(",")) else { break }
      isTuple = true
    }
    if !isTuple, let only = items.first { return only }
    guard isTuple else { throw failure("expected an expression, found \(Self.text(current))") }
    return .tuple(items)
  }

  private mutating func or() throws -> Expression {
    var left = try and()
    while skip(.name("or")) { left = .or(left, try and()) }
    return left
  }

  private mutating func and() throws -> Expression {
    var left = try not()
    while skip(.name("and")) { left = .and(left, try not()) }
    return left
  }

  private mutating func not() throws -> Expression {
    if isName("not") {
      advance()
      return .not(try nested { parser in try parser.not() })
    }
    return try comparison()
  }

  private mutating func comparison() throws -> Expression {
    let first = try sum()
    var rest: [(comparison: Comparison, operand: Expression)] = []
    while true {
      if case .symbol(let symbol) = current, let comparison = Comparison(rawValue: symbol) {
        advance()
        rest.append((comparison, try sum()))
      } else if skip(.name("in")) {
        rest.append((.isIn, try sum()))
      } else if isName("not"), next == .name("in") {
        advance()
        advance()
        rest.append((.isNotIn, try sum()))
      } else {
        return rest.isEmpty ? first : .compare(first, rest)
      }
    }
  }

  private mutating func binary(
    _ operators: [BinaryOperator], _ operand: (inout Parser) throws -> Expression
  ) throws -> Expression {
    var left = try operand(&self)
    while case .symbol(let symbol) = current, let found = BinaryOperator(rawValue: symbol), operators.contains(found) {
      advance()
      left = .binary(found, left, try operand(&self))
    }
    return left
  }

  private mutating func sum() throws -> Expression {
    try binary([.add, .subtract]) { parser in
      try parser.binary([.concatenate]) { parser in
        try parser.binary([.multiply, .divide, .floorDivide, .modulo]) { parser in
          try parser.binary([.power]) { parser in try parser.unary() }
        }
      }
    }
  }

  private mutating func unary(filters: Bool = true) throws -> Expression {
    var value: Expression
    if skip(.symbol("-")) {
      value = .negate(try nested { parser in try parser.unary(filters: false) })
    } else if skip(.symbol("+")) {
      value = .plus(try nested { parser in try parser.unary(filters: false) })
    } else {
      value = try primary()
    }
    value = try postfix(value)
    return filters ? try filtersAndTests(value) : value
  }

  private mutating func primary() throws -> Expression {
    switch current {
    case .name(let name):
      advance()
      switch name {
      case "true", "True": return .constant(.boolean(true))
      case "false", "False": return .constant(.boolean(false))
      case "none", "None": return .constant(.none)
      default: return .name(name)
      }
    case .string(var text):
      advance()
      while case .string(let more) = current {
        text += more
        advance()
      }
      return .constant(.string(text))
    case .integer(let number):
      advance()
      return .constant(.integer(number))
    case .number(let number):
      advance()
      return .constant(.number(number))
    case .symbol("("):
      advance()
      if skip(.symbol(")")) { return .tuple([]) }
      let value = try tupleOrExpression()
      try expect(.symbol(")"))
      return value
    case .symbol("["): return .list(try items(closing: "]") { parser in try parser.expression() })
    case .symbol("{"):
      return .dictionary(
        try items(closing: "}") { parser in
          let key = try parser.expression()
          try parser.expect(.symbol(":"))
          return (key, try parser.expression())
        })
    default: throw failure("expected an expression, found \(Self.text(current))")
    }
  }

  /// Things with commas between them, up to `closing`; the opening symbol is the current one.
  private mutating func items<T>(closing: String, _ item: (inout Parser) throws -> T) throws -> [T] {
    advance()
    var items: [T] = []
    while !isSymbol(closing) {
      if !items.isEmpty { try expect(.symbol(",")) }
      if isSymbol(closing) { break }
      items.append(try item(&self))
    }
    advance()
    return items
  }

  private mutating func postfix(_ start: Expression) throws -> Expression {
    var value = start
    while true {
      if skip(.symbol(".")) {
        switch current {
        case .name(let name): value = .attribute(value, name)
        case .integer(let index): value = .item(value, .constant(.integer(index)))
        default: throw failure("expected a name after '.', found \(Self.text(current))")
        }
        advance()
      } else if skip(.symbol("[")) {
        value = try subscripted(value)
      } else if isSymbol("(") {
        value = .call(value, try arguments())
      } else {
        return value
      }
    }
  }

  private mutating func subscripted(_ value: Expression) throws -> Expression {
    var parts: [Expression?] = [nil]
    var isSlice = false
    while !isSymbol("]") {
      if skip(.symbol(":")) {
        isSlice = true
        parts.append(nil)
      } else {
        guard parts[parts.count - 1] == nil else { throw failure("expected ']', found \(Self.text(current))") }
        parts[parts.count - 1] = try expression()
      }
    }
    advance()
    if isSlice, parts.count <= 3 {
      return .slice(value, start: parts[0], stop: parts[1], step: parts.count > 2 ? parts[2] : nil)
    }
    guard !isSlice, let index = parts[0] else { throw failure("expected an index between '[' and ']'") }
    return .item(value, index)
  }

  private mutating func filtersAndTests(_ start: Expression) throws -> Expression {
    var value = start
    while true {
      if isSymbol("|") {
        let call = try filterCall()
        value = .filter(value, call.name, call.arguments)
      } else if skip(.name("is")) {
        let negated = skip(.name("not"))
        let name = try expectName()
        let test = Expression.test(value, name, try testArguments())
        value = negated ? .not(test) : test
      } else if isSymbol("(") {
        value = .call(value, try arguments())
      } else {
        return value
      }
    }
  }

  /// `| name` or `| name(…)`.
  mutating func filterCall() throws -> FilterCall {
    try expect(.symbol("|"))
    let name = try expectName()
    guard Filters.exists(name) else { throw failure("there is no filter '\(name)'") }
    return FilterCall(name: name, arguments: isSymbol("(") ? try arguments() : Arguments())
  }

  /// What follows a test: arguments in parentheses, or one without.
  private mutating func testArguments() throws -> Arguments {
    switch current {
    case .symbol("("): return try arguments()
    case .name(let name) where ["else", "or", "and", "is", "if", "in", "not"].contains(name): return Arguments()
    case .name, .string, .integer, .number, .symbol("["), .symbol("{"):
      return Arguments(positional: [try postfix(primary())])
    default: return Arguments()
    }
  }

  mutating func arguments() throws -> Arguments {
    var arguments = Arguments()
    _ = try items(closing: ")") { parser in
      if parser.skip(.symbol("*")) {
        arguments.positionalRest = try parser.expression()
      } else if parser.skip(.symbol("**")) {
        arguments.namedRest = try parser.expression()
      } else if case .name(let name) = parser.current, parser.next == .symbol("=") {
        parser.advance()
        parser.advance()
        arguments.named.append((name, try parser.expression()))
      } else {
        guard arguments.named.isEmpty else { throw parser.failure("a positional argument follows a named one") }
        arguments.positional.append(try parser.expression())
      }
    }
    return arguments
  }
}
