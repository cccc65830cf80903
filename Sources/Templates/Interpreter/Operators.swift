import Foundation

/// Python's arithmetic. An integer that does not fit 64 bits is an error, where Python would go on.
extension Interpreter {
  func arithmetic(_ left: Object, _ symbol: ArithmeticOperator, _ right: Object) throws(Failure) -> Object {
    if case .undefined(let reason) = left { throw Failure(reason) }
    // "…" % value formats, whatever the value.
    if case (.string(let format), .modulo) = (left, symbol) {
      try chargeText(left)
      return .string(try PercentFormat.format(format, with: right, self))
    }
    if case .undefined(let reason) = right { throw Failure(reason) }
    if let a = left.integer, let b = right.integer { return try integers(a, symbol, b) }
    if let a = left.number, let b = right.number { return .float(try floats(a, symbol, b)) }
    switch (left, symbol, right) {
    case (.string(let a), .add, .string(let b)):
      try checkLength(a.bytes.count + b.bytes.count)
      try charge((a.bytes.count + b.bytes.count) / 64)
      return .string(a + b)
    case (.list(let a), .add, .list(let b)):
      try charge(a.array.count + b.array.count)
      return try .list(a.array + b.array)
    case (.tuple(let a), .add, .tuple(let b)):
      try charge(a.array.count + b.array.count)
      return try .tuple(a.array + b.array)
    case (.string, .multiply, _), (.list, .multiply, _), (.tuple, .multiply, _):
      if let count = right.integer { return try repeated(left, count) }
    case (_, .multiply, .string), (_, .multiply, .list), (_, .multiply, .tuple):
      if let count = left.integer { return try repeated(right, count) }
    default: break
    }
    throw Failure("unsupported operand types for \(symbol.rawValue): '\(left.type)' and '\(right.type)'")
  }

  private func integers(_ a: Int, _ symbol: ArithmeticOperator, _ b: Int) throws(Failure) -> Object {
    switch symbol {
    case .add: return try whole(a.addingReportingOverflow(b))
    case .subtract: return try whole(a.subtractingReportingOverflow(b))
    case .multiply: return try whole(a.multipliedReportingOverflow(by: b))
    case .divide:
      guard b != 0 else { throw Failure("division by zero") }
      return .float(Double(a) / Double(b))
    case .floorDivide:
      guard b != 0 else { throw Failure("division by zero") }
      let quotient = try overflowChecked(a.dividedReportingOverflow(by: b))
      return .integer(a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient)
    case .modulo:
      guard b != 0 else { throw Failure("division by zero") }
      let remainder = a.remainderReportingOverflow(dividingBy: b).partialValue
      return .integer(remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder)
    case .power:
      guard b >= 0 else {
        guard a != 0 else { throw Failure("0 cannot be raised to a negative power") }
        return .float(pow(Double(a), Double(b)))
      }
      return .integer(try power(a, b))
    }
  }

  private func power(_ base: Int, _ exponent: Int) throws(Failure) -> Int {
    var result = 1
    var factor = base
    var exponent = exponent
    while exponent > 0 {
      if exponent & 1 == 1 { result = try overflowChecked(result.multipliedReportingOverflow(by: factor)) }
      exponent >>= 1
      if exponent > 0 { factor = try overflowChecked(factor.multipliedReportingOverflow(by: factor)) }
    }
    return result
  }

  private func whole(_ result: (partialValue: Int, overflow: Bool)) throws(Failure) -> Object {
    .integer(try overflowChecked(result))
  }

  private func overflowChecked(_ result: (partialValue: Int, overflow: Bool)) throws(Failure) -> Int {
    guard !result.overflow else { throw Failure("an integer too large") }
    return result.partialValue
  }

  private func floats(_ a: Double, _ symbol: ArithmeticOperator, _ b: Double) throws(Failure) -> Double {
    switch symbol {
    case .add: return a + b
    case .subtract: return a - b
    case .multiply: return a * b
    case .divide:
      guard b != 0 else { throw Failure("float division by zero") }
      return a / b
    case .floorDivide:
      guard b != 0 else { throw Failure("float floor division by zero") }
      return Python.floorDivision(a, b)
    case .modulo:
      guard b != 0 else { throw Failure("float modulo by zero") }
      return Python.modulo(a, b)
    case .power:
      guard a != 0 || b >= 0 else { throw Failure("0.0 cannot be raised to a negative power") }
      let result = pow(a, b)
      guard !result.isNaN || a.isNaN || b.isNaN else { throw Failure("complex numbers are not supported") }
      guard result.isFinite || !a.isFinite || !b.isFinite else { throw Failure("a number too large") }
      return result
    }
  }

  private func repeated(_ object: Object, _ count: Int) throws(Failure) -> Object {
    let count = max(0, count)
    func total(_ size: Int, _ limit: Int) throws(Failure) -> Int {
      let (total, overflow) = size.multipliedReportingOverflow(by: count)
      guard !overflow, total <= limit else { throw Failure("a repetition of more than \(limit) parts") }
      return total
    }
    switch object {
    case .string(let text):
      try charge(total(text.bytes.count, Limits.text) / 64)
      return .string(Text(repeating: text, count: text.isEmpty ? 0 : count))
    case .list(let elements):
      try charge(total(elements.weight, Limits.elements))
      return try .list(Array(repeatElement(elements.array, count: elements.array.isEmpty ? 0 : count).joined()))
    case .tuple(let elements):
      try charge(total(elements.weight, Limits.elements))
      return try .tuple(Array(repeatElement(elements.array, count: elements.array.isEmpty ? 0 : count).joined()))
    default: return object
    }
  }

  func negated(_ object: Object) throws(Failure) -> Object {
    if case .float(let value) = object { return .float(-value) }
    if let value = object.integer { return try whole(0.subtractingReportingOverflow(value)) }
    if case .undefined(let reason) = object { throw Failure(reason) }
    throw Failure("bad operand type for unary -: '\(object.type)'")
  }

  func positive(_ object: Object) throws(Failure) -> Object {
    if case .float = object { return object }
    if let value = object.integer { return .integer(value) }
    if case .undefined(let reason) = object { throw Failure(reason) }
    throw Failure("bad operand type for unary +: '\(object.type)'")
  }
}

/// Python's comparisons.
extension Interpreter {
  func compare(_ left: Object, _ comparator: ComparisonOperator, _ right: Object) throws(Failure) -> Bool {
    switch comparator {
    case .equal: return try areEqual(left, right)
    case .notEqual: return try !areEqual(left, right)
    case .less: return try isLess(left, right, "<")
    case .greater: return try isLess(right, left, ">")
    case .lessOrEqual: return try isLessOrEqual(left, right, "<=")
    case .greaterOrEqual: return try isLessOrEqual(right, left, ">=")
    case .isIn: return try contains(right, left)
    case .isNotIn: return try !contains(right, left)
    }
  }

  func areEqual(_ left: Object, _ right: Object) throws(Failure) -> Bool {
    try charge(min(left.weight, right.weight))
    return left == right
  }

  /// left < right
  func isLess(_ left: Object, _ right: Object, _ symbol: String = "<") throws(Failure) -> Bool {
    try order(left, right, symbol).map { $0 < 0 } ?? false
  }

  private func isLessOrEqual(_ left: Object, _ right: Object, _ symbol: String) throws(Failure) -> Bool {
    try order(left, right, symbol).map { $0 <= 0 } ?? false
  }

  /// Negative, zero or positive as left comes before, with or after right; nil where a NaN is among them.
  private func order(_ left: Object, _ right: Object, _ symbol: String) throws(Failure) -> Int? {
    try charge(min(left.weight, right.weight))
    if let a = left.integer, let b = right.integer { return a < b ? -1 : a == b ? 0 : 1 }
    if let a = left.number, let b = right.number {
      guard !a.isNaN, !b.isNaN else { return nil }
      return a < b ? -1 : a == b ? 0 : 1
    }
    switch (left, right) {
    case (.string(let a), .string(let b)): return a < b ? -1 : a == b ? 0 : 1
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
      for (a, b) in zip(a.array, b.array) where a != b {
        return try nested { () throws(Failure) in try order(a, b, symbol) }
      }
      return a.array.count - b.array.count
    case (.undefined(let reason), _), (_, .undefined(let reason)): throw Failure(reason)
    default: throw Failure("'\(symbol)' not supported between '\(left.type)' and '\(right.type)'")
    }
  }

  /// element in container
  func contains(_ container: Object, _ element: Object) throws(Failure) -> Bool {
    // Each comparison costs the smaller of its sides.
    let (comparisons, overflow) = container.span.multipliedReportingOverflow(by: element.weight)
    try charge(overflow ? container.weight : min(container.weight, comparisons))
    switch container {
    case .string(let text):
      guard let needle = element.text else {
        throw Failure("'in <string>' requires a string on its left, not '\(element.type)'")
      }
      return text.contains(needle)
    case .dictionary(let dictionary):
      try charge(element.weight)
      guard element.isHashable else { throw Failure("unhashable type: '\(element.type)'") }
      return dictionary[element] != nil
    case .list(let elements), .tuple(let elements), .range(let elements, _), .view(let elements, _):
      return elements.array.contains(element)
    case .iterator(let iterator):
      while let next = iterator.next() { if next == element { return true } }
      return false
    case .undefined: return false
    default: throw Failure("argument of type '\(container.type)' is not iterable")
    }
  }
}
