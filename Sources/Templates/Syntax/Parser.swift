/// Reads tokens into statements; the grammar is Jinja's, expressions and statements in files of their own.
struct Parser {
  private let tokens: [Token]
  private var position = 0
  private(set) var names: [Text] = []
  private var symbols: [String: Symbol] = [:]
  /// Nested constructs being read.
  private var depth = 0
  /// Whether what is read stands under a condition, where an unknown filter or test is an error only once it is used.
  private var isConditional = false
  /// Unknown filters and tests that no condition was found for so far.
  var unknown: [Failure] = []
  /// Loops around what is read, within the innermost macro.
  var loopDepth = 0
  /// For each macro being read, which special names it uses.
  var specialNames: [Set<String>] = []

  /// The statements of a template, and the names of its variables by symbol.
  static func parse(_ source: String) throws(Failure) -> (body: [Statement], names: [Text]) {
    var parser = Parser(tokens: try Lexer.tokens(of: source))
    let body = try parser.statements(until: [])
    if let failure = parser.unknown.first { throw failure }
    return (body, parser.names)
  }

  private init(tokens: [Token]) { self.tokens = tokens }

  var current: Token { tokens[position] }
  var following: Token { tokens[min(position + 1, tokens.count - 1)] }
  var line: Int { current.line }

  /// Returns the current token and steps past it; the last one stays.
  @discardableResult mutating func next() -> Token {
    let token = current
    if position + 1 < tokens.count { position += 1 }
    return token
  }

  mutating func skip(_ kind: Token.Kind) -> Bool {
    guard current.kind == kind else { return false }
    next()
    return true
  }

  mutating func skip(name: String) -> Bool { skip(.name(name)) }
  mutating func skip(symbol: String) -> Bool { skip(.symbol(symbol)) }
  func isAt(name: String) -> Bool { current.kind == .name(name) }
  func isAt(symbol: String) -> Bool { current.kind == .symbol(symbol) }

  mutating func expect(_ kind: Token.Kind) throws(Failure) {
    guard skip(kind) else { throw unexpected(expected: Token(kind: kind, line: line).words) }
  }

  mutating func expectName() throws(Failure) -> String {
    guard case .name(let name) = current.kind else { throw unexpected(expected: "a name") }
    next()
    return name
  }

  func unexpected(expected: String) -> Failure {
    Failure("expected \(expected), found \(current.words)", line: line)
  }

  mutating func symbol(_ name: String) -> Symbol {
    if let symbol = symbols[name] { return symbol }
    symbols[name] = names.count
    names.append(Text(name))
    return names.count - 1
  }

  /// Reads a nested construct, where the nesting is not too deep.
  mutating func nested<T>(_ read: (inout Parser) throws(Failure) -> T) throws(Failure) -> T {
    guard depth < Limits.syntaxDepth else { throw tooDeep(Limits.syntaxDepth) }
    depth += 1
    defer { depth -= 1 }
    return try read(&self)
  }

  /// Reads under a condition, or where `isConditional` is false in a new scope, which is under none.
  mutating func reading<T>(
    conditionally isConditional: Bool, _ read: (inout Parser) throws(Failure) -> T
  ) throws(Failure) -> T {
    let outer = self.isConditional
    self.isConditional = isConditional
    defer { self.isConditional = outer }
    return try read(&self)
  }

  /// Notes a filter or test that does not exist.
  mutating func note(unknown failure: Failure) {
    if !isConditional { unknown.append(failure) }
  }

  func node(_ kind: Expression.Kind, line: Int, over children: [Expression] = []) throws(Failure) -> Expression {
    let node = Expression(kind, line: line, over: children)
    guard node.depth <= Limits.expressionDepth else { throw tooDeep(Limits.expressionDepth) }
    return node
  }

  private func tooDeep(_ limit: Int) -> Failure {
    Failure("nested more than \(limit) levels deep", line: line)
  }
}
