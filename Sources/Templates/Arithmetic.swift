import Foundation

/// Operators with Python's semantics.
enum Arithmetic {
  private static let maximumLength = 1 << 24

  static func apply(
    _ operation: BinaryOperator, _ a: TemplateValue, _ b: TemplateValue, sign: Bool = false
  ) throws -> TemplateValue {
    if operation == .concatenate { return .string(try joined(a.text, b.text)) }
    for case .undefined(let name) in [a, b] { throw TemplateFailure("'\(name)' is undefined") }
    switch (operation, a, b) {
    case (.add, .string(let a), .string(let b)): return .string(try joined(a, b))
    case (.add, .list(let a), .list(let b)): return .list(a + b)
    case (.add, .tuple(let a), .tuple(let b)): return .tuple(a + b)
    case (.multiply, .string(let text), let count), (.multiply, let count, .string(let text)):
      guard let count = count.asInteger else { break }
      try check(length: text.utf8.count, times: count)
      return .string(String(repeating: text, count: max(count, 0)))
    case (.multiply, .list(let items), let count), (.multiply, let count, .list(let items)):
      guard let count = count.asInteger else { break }
      try check(length: items.count, times: count)
      return .list(Array(repeating: items, count: max(count, 0)).flatMap(\.self))
    case (.modulo, .string(let format), _): return .string(try Formatting.format(format, b))
    default: break
    }
    if let x = a.asInteger, let y = b.asInteger, operation != .divide { return try integers(operation, x, y) }
    guard let x = a.asNumber, let y = b.asNumber else {
      throw TemplateFailure("'\(operation.rawValue)' cannot be applied to \(a.kind) and \(b.kind)")
    }
    return .number(try numbers(operation, x, y, negates: sign))
  }

  private static func joined(_ a: String, _ b: String) throws -> String {
    if a.utf8.count + b.utf8.count > maximumLength { throw TemplateFailure("a string is too long") }
    return a + b
  }

  private static func check(length: Int, times count: Int) throws {
    let (total, overflow) = length.multipliedReportingOverflow(by: max(count, 0))
    if overflow || total > maximumLength { throw TemplateFailure("a repetition is too long") }
  }

  private static func integers(_ operation: BinaryOperator, _ a: Int, _ b: Int) throws -> TemplateValue {
    func checked(_ result: (partialValue: Int, overflow: Bool)) throws -> TemplateValue {
      if result.overflow { throw TemplateFailure("an integer is too large") }
      return .integer(result.partialValue)
    }
    switch operation {
    case .add: return try checked(a.addingReportingOverflow(b))
    case .subtract: return try checked(a.subtractingReportingOverflow(b))
    case .multiply: return try checked(a.multipliedReportingOverflow(by: b))
    case .floorDivide, .modulo:
      if b == 0 { throw TemplateFailure("division by zero") }
      let (quotient, overflow) = a.dividedReportingOverflow(by: b)
      if overflow { throw TemplateFailure("an integer is too large") }
      let rest = a % b
      let floors = rest != 0 && (rest < 0) != (b < 0)
      return .integer(operation == .modulo ? rest + (floors ? b : 0) : quotient - (floors ? 1 : 0))
    case .power where b >= 0:
      var result = 1
      for _ in 0..<min(b, 64) where a != 1 && a != 0 {
        let (product, overflow) = result.multipliedReportingOverflow(by: a)
        if overflow { throw TemplateFailure("an integer is too large") }
        result = product
        if a == -1 { return .integer(b % 2 == 0 ? 1 : -1) }
      }
      return .integer(a == 0 && b > 0 ? 0 : result)
    default: return .number(try numbers(operation, Double(a), Double(b)))
    }
  }

  private static func numbers(_ operation: BinaryOperator, _ a: Double, _ b: Double, negates: Bool = false) throws
    -> Double
  {
    switch operation {
    case .add: return a + b
    case .subtract: return negates ? -b : a - b
    case .multiply: return a * b
    case .power: return pow(a, b)
    case .divide, .floorDivide, .modulo:
      if b == 0 { throw TemplateFailure("division by zero") }
      if operation == .divide { return a / b }
      let floored = (a / b).rounded(.down)
      return operation == .floorDivide ? floored : a - floored * b
    case .concatenate: return a
    }
  }

  static func compare(_ comparison: Comparison, _ a: TemplateValue, _ b: TemplateValue) throws -> Bool {
    switch comparison {
    case .equal: return a == b
    case .notEqual: return !(a == b)
    case .isIn: return try b.contains(a)
    case .isNotIn: return !(try b.contains(a))
    default: break
    }
    for case .undefined(let name) in [a, b] { throw TemplateFailure("'\(name)' is undefined") }
    switch comparison {
    case .less: return try TemplateValue.isLess(a, b)
    case .greater: return try TemplateValue.isLess(b, a)
    case .lessOrEqual: return try TemplateValue.isLess(a, b) || a == b
    default: return try TemplateValue.isLess(b, a) || a == b
    }
  }
}

/// Python's `%` of strings: %s, %r, %d, %f with width and precision.
enum Formatting {
  static func format(_ format: String, _ value: TemplateValue) throws -> String {
    var values: [TemplateValue] = [value]
    if case .tuple(let items) = value { values = items }
    var text = ""
    var rest = Substring(format)
    var next = 0
    while let percent = rest.firstIndex(of: "%") {
      text += rest[..<percent]
      rest = rest[rest.index(after: percent)...]
      if rest.first == "%" {
        text += "%"
        rest = rest.dropFirst()
        continue
      }
      let flags = rest.prefix { "-+ 0#".contains($0) }
      rest = rest.dropFirst(flags.count)
      let width = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(width.count)
      var precision: Int?
      if rest.first == "." {
        let digits = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
        precision = Int(digits) ?? 0
        rest = rest.dropFirst(1 + digits.count)
      }
      guard let conversion = rest.first, next < values.count, (Int(width) ?? 0) < 10_000, (precision ?? 0) < 1000 else {
        throw TemplateFailure("a format string does not fit its values")
      }
      rest = rest.dropFirst()
      let piece = try convert(values[next], conversion, precision, sign: flags.contains("+"))
      next += 1
      let padding = max((Int(width) ?? 0) - piece.unicodeScalars.count, 0)
      if flags.contains("-") {
        text += piece + String(repeating: " ", count: padding)
      } else if flags.contains("0"), "dfi".contains(conversion) {
        let isSigned = piece.first == "-" || piece.first == "+"
        text += (isSigned ? String(piece.prefix(1)) : "") + String(repeating: "0", count: padding)
        text += isSigned ? String(piece.dropFirst()) : piece
      } else {
        text += String(repeating: " ", count: padding) + piece
      }
    }
    guard next == values.count || values.count == 1 && next == 1 else {
      throw TemplateFailure("not all values of a format string are used")
    }
    return text + rest
  }

  private static func convert(
    _ value: TemplateValue, _ conversion: Character, _ precision: Int?, sign: Bool
  ) throws -> String {
    switch conversion {
    case "s": return precision.map { String(value.text.prefix($0)) } ?? value.text
    case "r": return value.representation
    case "d", "i":
      guard let number = value.asNumber, let integer = Int(exactly: number.rounded(.towardZero)) else { break }
      return (sign && integer >= 0 ? "+" : "") + String(integer)
    case "f":
      guard let number = value.asNumber else { break }
      return String(format: (sign ? "%+." : "%.") + "\(precision ?? 6)f", number)
    default: break
    }
    throw TemplateFailure("'%\(conversion)' cannot format a \(value.kind)")
  }
}
