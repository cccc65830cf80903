/// Expressions, from what binds loosest to what binds tightest.
extension Parser {
  /// - Parameter conditional: whether `a if b else c` may stand here; a loop's and an if's own `if` may not.
  mutating func expression(conditional: Bool = true) throws(Failure) -> Expression {
    try nested { (parser) throws(Failure) in
      try conditional ? parser.conditional() : parser.or()
    }
  }

  private mutating func conditional() throws(Failure) -> Expression {
    let count = unknown.count
    var value = try or()
    while isAt(name: "if") {
      let line = next().line
      let condition = try or()
      let otherwise = skip(name: "else") ? try expression() : nil
      value = try node(
        .conditional(value, condition: condition, otherwise: otherwise), line: line,
        over: [value, condition] + (otherwise.map { [$0] } ?? []))
      // All of it is under a condition, what stands before the 'if' too.
      unknown.removeSubrange(count...)
    }
    return value
  }

  private mutating func or() throws(Failure) -> Expression {
    var left = try and()
    while isAt(name: "or") {
      let line = next().line
      let right = try and()
      left = try node(.or(left, right), line: line, over: [left, right])
    }
    return left
  }

  private mutating func and() throws(Failure) -> Expression {
    var left = try not()
    while isAt(name: "and") {
      let line = next().line
      let right = try not()
      left = try node(.and(left, right), line: line, over: [left, right])
    }
    return left
  }

  private mutating func not() throws(Failure) -> Expression {
    guard isAt(name: "not") else { return try comparison() }
    let line = next().line
    let operand = try nested { (parser) throws(Failure) in try parser.not() }
    return try node(.not(operand), line: line, over: [operand])
  }

  private mutating func comparison() throws(Failure) -> Expression {
    let line = line
    let first = try sum()
    var rest: [ComparisonOperand] = []
    while let comparator = comparisonOperator() {
      rest.append(ComparisonOperand(comparator: comparator, operand: try sum()))
    }
    guard !rest.isEmpty else { return first }
    return try node(.comparison(first, rest), line: line, over: [first] + rest.map(\.operand))
  }

  private mutating func comparisonOperator() -> ComparisonOperator? {
    if case .symbol(let symbol) = current.kind, let comparator = ComparisonOperator(rawValue: symbol) {
      next()
      return comparator
    }
    if skip(name: "in") { return .isIn }
    if isAt(name: "not"), following.kind == .name("in") {
      next()
      next()
      return .isNotIn
    }
    return nil
  }

  private mutating func arithmetic(
    _ symbols: [String], _ operand: (inout Parser) throws(Failure) -> Expression
  ) throws(Failure) -> Expression {
    var left = try operand(&self)
    while case .symbol(let symbol) = current.kind, symbols.contains(symbol),
      let symbol = ArithmeticOperator(rawValue: symbol)
    {
      let line = next().line
      let right = try operand(&self)
      left = try node(.arithmetic(left, symbol, right), line: line, over: [left, right])
    }
    return left
  }

  private mutating func sum() throws(Failure) -> Expression {
    try arithmetic(["+", "-"]) { (parser) throws(Failure) in try parser.concatenation() }
  }

  private mutating func concatenation() throws(Failure) -> Expression {
    let line = line
    var operands = [try product()]
    while skip(symbol: "~") { operands.append(try product()) }
    return operands.count == 1 ? operands[0] : try node(.concatenation(operands), line: line, over: operands)
  }

  private mutating func product() throws(Failure) -> Expression {
    try arithmetic(["*", "/", "//", "%"]) { (parser) throws(Failure) in
      try parser.arithmetic(["**"]) { (parser) throws(Failure) in try parser.unary() }
    }
  }

  private mutating func unary(withFilters: Bool = true) throws(Failure) -> Expression {
    var value: Expression
    if isAt(symbol: "-") || isAt(symbol: "+") {
      let isNegative = isAt(symbol: "-")
      let line = next().line
      let operand = try nested { (parser) throws(Failure) in try parser.unary(withFilters: false) }
      value = try node(isNegative ? .negative(operand) : .positive(operand), line: line, over: [operand])
    } else {
      value = try primary()
    }
    value = try postfix(value)
    return withFilters ? try filters(value) : value
  }

  mutating func primary() throws(Failure) -> Expression {
    let token = current
    switch token.kind {
    case .name(let name):
      next()
      switch name {
      case "true", "True": return try node(.literal(.boolean(true)), line: token.line)
      case "false", "False": return try node(.literal(.boolean(false)), line: token.line)
      case "none", "None": return try node(.literal(.none), line: token.line)
      default: return try variable(name, line: token.line)
      }
    case .string(var text):
      next()
      while case .string(let more) = current.kind {
        text.append(more)
        next()
      }
      return try node(.literal(.string(text)), line: token.line)
    case .integer(let value):
      next()
      return try node(.literal(.integer(value)), line: token.line)
    case .float(let value):
      next()
      return try node(.literal(.float(value)), line: token.line)
    case .symbol("("):
      next()
      let value = try tuple(inParentheses: true)
      try expect(.symbol(")"))
      return value
    case .symbol("["):
      next()
      let elements = try elements(until: "]") { (parser) throws(Failure) in try parser.expression() }
      return try node(.list(elements), line: token.line, over: elements)
    case .symbol("{"):
      next()
      let pairs = try elements(until: "}") { (parser) throws(Failure) -> (key: Expression, value: Expression) in
        let key = try parser.expression()
        try parser.expect(.symbol(":"))
        return (key, try parser.expression())
      }
      return try node(.dictionary(pairs), line: token.line, over: pairs.flatMap { [$0.key, $0.value] })
    default: throw unexpected(expected: "an expression")
    }
  }

  private mutating func variable(_ name: String, line: Int) throws(Failure) -> Expression {
    if name == "caller" || name == "kwargs" || name == "varargs" {
      for index in specialNames.indices { specialNames[index].insert(name) }
    }
    return try node(.name(symbol(name)), line: line)
  }

  /// Elements between commas, one of which may follow the last, up to and with the closing bracket.
  private mutating func elements<T>(
    until close: String, _ element: (inout Parser) throws(Failure) -> T
  ) throws(Failure) -> [T] {
    var elements: [T] = []
    while !skip(symbol: close) {
      if !elements.isEmpty {
        try expect(.symbol(","))
        if skip(symbol: close) { break }
      }
      elements.append(try element(&self))
    }
    return elements
  }

  /// One expression, or a tuple of those that commas part.
  /// - Parameter end: a name that ends the tuple, besides the end of the tag and a closing parenthesis.
  mutating func tuple(
    conditional: Bool = true, end: String? = nil, inParentheses: Bool = false
  ) throws(Failure) -> Expression {
    let line = line
    var elements: [Expression] = []
    var isTuple = false
    while !isTupleEnd(end) {
      elements.append(try expression(conditional: conditional))
      guard skip(symbol: ",") else { break }
      isTuple = true
    }
    if !isTuple {
      if let only = elements.first { return only }
      guard inParentheses else { throw unexpected(expected: "an expression") }
    }
    return try node(.tuple(elements), line: line, over: elements)
  }

  private func isTupleEnd(_ name: String?) -> Bool {
    switch current.kind {
    case .variableEnd, .blockEnd, .symbol(")"): true
    default: name.map(isAt(name:)) ?? false
    }
  }

  private mutating func postfix(_ value: Expression) throws(Failure) -> Expression {
    var value = value
    while true {
      if isAt(symbol: ".") || isAt(symbol: "[") {
        value = try subscripted(value)
      } else if isAt(symbol: "(") {
        value = try call(value)
      } else {
        return value
      }
    }
  }

  private mutating func filters(_ value: Expression) throws(Failure) -> Expression {
    var value = value
    while true {
      if skip(symbol: "|") {
        let filter = try filterCall()
        value = try node(.filter(value, filter), line: filter.line, over: [value] + filter.arguments.expressions)
      } else if isAt(name: "is") {
        value = try test(value)
      } else if isAt(symbol: "(") {
        value = try call(value)
      } else {
        return value
      }
    }
  }

  private mutating func subscripted(_ value: Expression) throws(Failure) -> Expression {
    let line = line
    if skip(symbol: ".") {
      switch current.kind {
      case .name(let name):
        next()
        return try node(.attribute(value, Text(name)), line: line, over: [value])
      case .integer(let index):
        next()
        let index = try node(.literal(.integer(index)), line: line)
        return try node(.subscripted(value, index), line: line, over: [value, index])
      default: throw unexpected(expected: "an attribute's name or number")
      }
    }
    try expect(.symbol("["))
    var indices: [Expression] = []
    while !skip(symbol: "]") {
      if !indices.isEmpty { try expect(.symbol(",")) }
      let start = isAt(symbol: ":") ? nil : try expression()
      if isAt(symbol: ":") {
        guard indices.isEmpty else { throw Failure("a slice among several indexes is not supported", line: line) }
        return try slice(of: value, from: start, line: line)
      }
      if let start { indices.append(start) }
    }
    let index = indices.count == 1 ? indices[0] : try node(.tuple(indices), line: line, over: indices)
    return try node(.subscripted(value, index), line: line, over: [value, index])
  }

  private mutating func slice(of value: Expression, from start: Expression?, line: Int) throws(Failure) -> Expression {
    try expect(.symbol(":"))
    func isEnd(_ parser: Parser) -> Bool { parser.isAt(symbol: "]") || parser.isAt(symbol: ",") }
    let stop = isAt(symbol: ":") || isEnd(self) ? nil : try expression()
    let step = skip(symbol: ":") && !isEnd(self) ? try expression() : nil
    guard skip(symbol: "]") else { throw unexpected(expected: "']' after a slice") }
    return try node(
      .slice(value, start: start, stop: stop, step: step), line: line,
      over: [value] + [start, stop, step].compactMap { $0 })
  }

  private mutating func call(_ callee: Expression) throws(Failure) -> Expression {
    let line = line
    let arguments = try callArguments()
    return try node(.call(callee, arguments), line: line, over: [callee] + arguments.expressions)
  }

  private mutating func callArguments() throws(Failure) -> CallArguments {
    let line = line
    try expect(.symbol("("))
    var arguments = CallArguments()
    var names: Set<Text> = []
    var isFirst = true
    while !skip(symbol: ")") {
      if !isFirst {
        try expect(.symbol(","))
        if skip(symbol: ")") { break }
      }
      isFirst = false
      if skip(symbol: "**") {
        guard arguments.spreadNamed == nil else { throw Failure("two '**' arguments in one call", line: line) }
        arguments.spreadNamed = try expression()
      } else if skip(symbol: "*") {
        guard arguments.spread == nil, arguments.spreadNamed == nil else {
          throw Failure("a '*' argument after another '*' or '**'", line: line)
        }
        arguments.spread = try expression()
      } else if case .name(let name) = current.kind, following.kind == .symbol("=") {
        guard arguments.spreadNamed == nil else { throw Failure("a named argument after '**'", line: line) }
        guard names.insert(Text(name)).inserted else {
          throw Failure("the argument '\(name)' is given twice", line: line)
        }
        next()
        next()
        arguments.named.append((Text(name), try expression()))
      } else {
        guard arguments.spread == nil, arguments.spreadNamed == nil, arguments.named.isEmpty else {
          throw Failure("a positional argument after a named one", line: line)
        }
        arguments.positional.append(try expression())
      }
    }
    return arguments
  }

  private mutating func dottedName() throws(Failure) -> String {
    var name = try expectName()
    while skip(symbol: ".") { name += "." + (try expectName()) }
    return name
  }

  /// A filter's name and arguments, behind the '|'.
  mutating func filterCall() throws(Failure) -> FilterCall {
    let line = line
    let name = try dottedName()
    let arguments = isAt(symbol: "(") ? try callArguments() : CallArguments()
    if Filter.named(name) == nil { note(unknown: Failure("there is no filter '\(name)'", line: line)) }
    return FilterCall(filter: Filter.named(name) ?? .unknown(name), arguments: arguments, line: line)
  }

  private mutating func test(_ value: Expression) throws(Failure) -> Expression {
    let line = next().line
    let isNegated = skip(name: "not")
    let name = try dottedName()
    var arguments = CallArguments()
    switch current.kind {
    case .symbol("("): arguments = try callArguments()
    case .name("else"), .name("or"), .name("and"): break
    case .name("is"): throw Failure("tests with 'is' cannot be chained", line: line)
    case .name, .string, .integer, .float, .symbol("["), .symbol("{"):
      let operand = try nested { (parser) throws(Failure) in try parser.postfix(parser.primary()) }
      arguments.positional = [operand]
    default: break
    }
    if Test.named(name) == nil { note(unknown: Failure("there is no test '\(name)'", line: line)) }
    let call = TestCall(test: Test.named(name) ?? .unknown(name), arguments: arguments)
    let node = try node(.test(value, call), line: line, over: [value] + arguments.expressions)
    return isNegated ? try self.node(.not(node), line: line, over: [node]) : node
  }
}
