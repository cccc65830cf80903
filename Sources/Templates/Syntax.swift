/// Expressions, as Jinja has them.
indirect enum Expression {
  case constant(TemplateValue)
  case name(String)
  case list([Expression])
  case tuple([Expression])
  case dictionary([(key: Expression, value: Expression)])
  /// `object.name`
  case attribute(Expression, String)
  /// `object[index]`
  case item(Expression, Expression)
  /// `object[start:stop:step]`
  case slice(Expression, start: Expression?, stop: Expression?, step: Expression?)
  case call(Expression, Arguments)
  case filter(Expression, String, Arguments)
  case test(Expression, String, Arguments)
  case negate(Expression)
  case plus(Expression)
  case not(Expression)
  case and(Expression, Expression)
  case or(Expression, Expression)
  case binary(BinaryOperator, Expression, Expression)
  /// `a < b < c`
  case compare(Expression, [(comparison: Comparison, operand: Expression)])
  /// `then if condition else otherwise`
  case conditional(condition: Expression, then: Expression, otherwise: Expression?)
}

struct Arguments {
  var positional: [Expression] = []
  var named: [(name: String, value: Expression)] = []
  /// `*sequence`, `**mapping`
  var positionalRest: Expression?
  var namedRest: Expression?
}

enum BinaryOperator: String {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case floorDivide = "//"
  case modulo = "%"
  case power = "**"
  case concatenate = "~"
}

enum Comparison: String {
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case isIn = "in"
  case isNotIn = "not in"
}

/// Where a value is assigned.
indirect enum Target {
  case name(String)
  /// `namespace.attribute`
  case attribute(String, String)
  case tuple([Target])
}

struct Statement {
  let kind: Kind
  let line: Int

  enum Kind {
    case text(String)
    case output(Expression)
    case branch([(condition: Expression, body: [Statement])], otherwise: [Statement])
    case loop(Loop)
    case assign(Target, Expression)
    /// {% set name %} … {% endset %}, through filters.
    case capture(Target, filters: [FilterCall], body: [Statement])
    case macro(Macro)
    /// {% call(parameters) macro(…) %} … {% endcall %}
    case call(Expression, Macro)
    case filter([FilterCall], body: [Statement])
    case with([(Target, Expression)], body: [Statement])
    case generation([Statement])
    case breakLoop
    case continueLoop
  }
}

struct FilterCall {
  let name: String
  let arguments: Arguments
}

struct Loop {
  let target: Target
  let sequence: Expression
  let condition: Expression?
  let body: [Statement]
  let otherwise: [Statement]
}

struct Macro {
  let name: String
  let parameters: [(name: String, fallback: Expression?)]
  let body: [Statement]
}
