/// Bounds on what one template may cost. Published templates stay far below each of them; one that does not is an
/// error, never a hang or a crash.
enum Limits {
  /// Bytes of template text.
  static let source = 4 << 20
  /// Blocks and brackets inside each other. Reading 60 takes 400 KB of stack.
  static let syntaxDepth = 60
  /// Operators, filters and subscripts on top of each other in one expression.
  static let expressionDepth = 200
  /// Expressions, statements and macro calls that are being evaluated at one time. 300 take 400 KB of stack.
  static let evaluationDepth = 300
  /// Levels of lists and dictionaries inside each other.
  static let objectDepth = 200
  /// Elementary steps of one rendering: expressions and statements evaluated, elements and 16-byte pieces handled.
  static let steps = 50_000_000
  /// Elements of a list or dictionary, counted with those inside it.
  static let elements = 4_000_000
  /// Bytes of the rendered text, and of any string on the way.
  static let text = 64 << 20
  /// Numbers in a `range`, as in Jinja's sandbox.
  static let range = 100_000
}
