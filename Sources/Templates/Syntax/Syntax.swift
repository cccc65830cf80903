/// An expression as written.
final class Expression: Sendable {
  indirect enum Kind: Sendable {
    case literal(Literal)
    case name(Symbol)
    case list([Expression])
    case tuple([Expression])
    case dictionary([(key: Expression, value: Expression)])
    case attribute(Expression, Text)
    case subscripted(Expression, Expression)
    case slice(Expression, start: Expression?, stop: Expression?, step: Expression?)
    case call(Expression, CallArguments)
    case filter(Expression, FilterCall)
    case test(Expression, TestCall)
    case not(Expression)
    case negative(Expression)
    case positive(Expression)
    case arithmetic(Expression, ArithmeticOperator, Expression)
    case concatenation([Expression])
    case comparison(Expression, [ComparisonOperand])
    case and(Expression, Expression)
    case or(Expression, Expression)
    case conditional(Expression, condition: Expression, otherwise: Expression?)
  }

  let kind: Kind
  let line: Int
  /// Levels of expressions under this one.
  let depth: Int

  init(_ kind: Kind, line: Int, over children: [Expression]) {
    self.kind = kind
    self.line = line
    depth = 1 + (children.map(\.depth).max() ?? 0)
  }
}

enum Literal: Sendable {
  case none
  case boolean(Bool)
  case integer(Int)
  case float(Double)
  case string(Text)
}

/// A variable's number in its template.
typealias Symbol = Int

enum ArithmeticOperator: String, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case floorDivide = "//"
  case modulo = "%"
  case power = "**"
}

enum ComparisonOperator: String, Sendable {
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case isIn = "in"
  case isNotIn = "not in"
}

/// What stands behind the first operand of a comparison: a < b <= c has two.
struct ComparisonOperand: Sendable {
  let comparator: ComparisonOperator
  let operand: Expression
}

/// f(1, *more, key=2, **others)
struct CallArguments: Sendable {
  var positional: [Expression] = []
  var named: [(name: Text, value: Expression)] = []
  var spread: Expression?
  var spreadNamed: Expression?

  var expressions: [Expression] {
    positional + named.map(\.value) + [spread, spreadNamed].compactMap { $0 }
  }
}

struct FilterCall: Sendable {
  let filter: Filter
  let arguments: CallArguments
  let line: Int
}

struct TestCall: Sendable {
  let test: Test
  let arguments: CallArguments
}

/// What an assignment or a loop fills.
indirect enum Target: Sendable {
  case name(Symbol)
  case tuple([Target])
  /// namespace.attribute
  case attribute(Symbol, Text)
}

indirect enum Statement: Sendable {
  case text(Text)
  case output(Expression)
  case branch([(condition: Expression, body: [Statement])], otherwise: [Statement])
  case loop(LoopStatement)
  case assign(Target, Expression)
  /// {% set x %}…{% endset %}, through filters
  case capture(Target, [FilterCall], [Statement], line: Int)
  case with([(target: Target, value: Expression)], [Statement])
  case macro(MacroDefinition)
  /// {% call … %}: `call` is the call, `caller` its body.
  case call(callee: Expression, CallArguments, caller: MacroDefinition, line: Int)
  case filter([FilterCall], [Statement], line: Int)
  /// {% generation %}…{% endgeneration %}, whose text is what its body writes.
  case generation([Statement])
  case leave, proceed
}

struct LoopStatement: Sendable {
  let target: Target
  let iterable: Expression
  let condition: Expression?
  /// Whether `loop` may be called to run the loop over something else.
  let isRecursive: Bool
  let body: [Statement]
  let otherwise: [Statement]
}

final class MacroDefinition: Sendable {
  struct Parameter: Sendable {
    let symbol: Symbol
    let name: Text
    let defaultValue: Expression?
  }

  /// nil for the body of a call block.
  let name: Text?
  let symbol: Symbol?
  let parameters: [Parameter]
  let body: [Statement]
  /// Which of the special names the body uses.
  let caller: Symbol?
  let named: Symbol?
  let rest: Symbol?

  init(
    name: Text?, symbol: Symbol?, parameters: [Parameter], body: [Statement], caller: Symbol?, named: Symbol?,
    rest: Symbol?
  ) {
    self.name = name
    self.symbol = symbol
    self.parameters = parameters
    self.body = body
    self.caller = caller
    self.named = named
    self.rest = rest
  }
}
