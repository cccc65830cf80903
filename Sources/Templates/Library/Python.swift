import Foundation

/// Python's numbers as text, and its division.
enum Python {
  /// repr(float): the shortest digits that read back as the same number.
  static func repr(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    if value == 0 { return value.sign == .minus ? "-0.0" : "0.0" }
    let sign = value < 0 ? "-" : ""
    // Swift's digits are the shortest too; only where the exponent begins differs.
    let (digits, point) = shortest(value.magnitude)
    switch point {
    case -3...0: return sign + "0." + String(repeating: "0", count: -point) + digits
    case 1...16:
      if digits.count <= point { return sign + digits + String(repeating: "0", count: point - digits.count) + ".0" }
      return sign + digits.prefix(point) + "." + digits.dropFirst(point)
    default:
      let exponent = point - 1
      let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
      let magnitude = abs(exponent) < 10 ? "0\(abs(exponent))" : "\(abs(exponent))"
      return sign + digits.prefix(1) + fraction + "e" + (exponent < 0 ? "-" : "+") + magnitude
    }
  }

  /// The significant digits of a positive finite number, and where its decimal point stands among them.
  private static func shortest(_ value: Double) -> (digits: String, point: Int) {
    let parts = value.description.split(separator: "e")
    let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let fraction = mantissa.count > 1 ? mantissa[1] : ""
    let all = mantissa[0] + fraction
    let leading = all.prefix { $0 == "0" }.count
    var digits = String(all.dropFirst(leading))
    while digits.count > 1, digits.hasSuffix("0") { digits.removeLast() }
    return (digits, mantissa[0].count + exponent - leading)
  }

  /// As CPython computes it: by the remainder, for the quotient itself may round up.
  static func floorDivision(_ a: Double, _ b: Double) -> Double {
    let remainder = fmod(a, b)
    var quotient = (a - remainder) / b
    if remainder != 0, (remainder < 0) != (b < 0) { quotient -= 1 }
    guard quotient != 0 else { return (a / b).sign == .minus ? -0.0 : 0.0 }
    let whole = floor(quotient)
    return quotient - whole > 0.5 ? whole + 1 : whole
  }

  /// The remainder with the divisor's sign.
  static func modulo(_ a: Double, _ b: Double) -> Double {
    let remainder = fmod(a, b)
    if remainder == 0 { return b.sign == .minus ? -0.0 : 0.0 }
    return (remainder < 0) != (b < 0) ? remainder + b : remainder
  }

  /// int(float)
  static func integer(_ value: Double) throws(Failure) -> Int {
    guard value.isFinite else { throw Failure("cannot convert float \(value.isNaN ? "NaN" : "infinity") to integer") }
    guard let integer = Int(exactly: value.rounded(.towardZero)) else { throw Failure("an integer too large") }
    return integer
  }

  /// int(text, base), or nil where the text is not one.
  static func integer(_ text: Text, base: Int) throws(Failure) -> Int? {
    guard base == 0 || (2...36).contains(base) else { return nil }
    var digits = Substring(text.trimmed().string.lowercased())
    guard digits.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
    var isNegative = false
    if let sign = digits.first, sign == "-" || sign == "+" {
      isNegative = sign == "-"
      digits = digits.dropFirst()
    }
    var radix = base
    for (prefix, value) in [("0x", 16), ("0o", 8), ("0b", 2)]
    where digits.hasPrefix(prefix) && (base == 0 || base == value) {
      radix = value
      digits = digits.dropFirst(2)
      if digits.hasPrefix("_") { digits = digits.dropFirst() }
      break
    }
    if radix == 0 { radix = 10 }
    let isGrouped = !digits.hasPrefix("_") && !digits.hasSuffix("_") && !digits.contains("__")
    let plain = digits.filter { $0 != "_" }
    guard isGrouped, !plain.isEmpty, plain.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) }),
      plain.allSatisfy({ Int(String($0), radix: 36).map { $0 < radix } ?? false })
    else { return nil }
    guard let value = Int((isNegative ? "-" : "") + plain, radix: radix) else { throw Failure("an integer too large") }
    return value
  }

  /// float(text), or nil where the text is not one.
  static func float(_ text: Text) -> Double? {
    let word = text.trimmed().string.lowercased()
    let unsigned = word.hasPrefix("-") || word.hasPrefix("+") ? String(word.dropFirst()) : word
    switch unsigned {
    case "inf", "infinity": return word.hasPrefix("-") ? -.infinity : .infinity
    case "nan": return .nan
    default: break
    }
    guard let first = unsigned.first, first.isASCII, first.isNumber || first == ".", !unsigned.hasPrefix("0x"),
      !unsigned.hasSuffix("_"), !unsigned.contains("__")
    else { return nil }
    return strtodWhole(word.filter { $0 != "_" })
  }

  /// A number as C's strtod reads it, where nothing follows it.
  private static func strtodWhole(_ word: String) -> Double? {
    word.withCString { start in
      var end: UnsafeMutablePointer<CChar>?
      let value = strtod(start, &end)
      guard let end, end.pointee == 0, end > UnsafeMutablePointer(mutating: start) else { return nil }
      return value
    }
  }

  /// round(value, digits): to the nearest, the even one of two equally near.
  static func rounded(_ value: Double, digits: Int) -> Double {
    guard value.isFinite, digits < 300 else { return value }
    if digits < 0 {
      guard digits > -309 else { return value * 0 }
      let unit = pow(10, Double(-digits))
      return (value / unit).rounded(.toNearestOrEven) * unit
    }
    // printf rounds the exact binary value, as Python does.
    return Double(fixed(value, digits: digits)) ?? value
  }

  /// "%.{digits}f"
  static func fixed(_ value: Double, digits: Int) -> String { printed(value, "%.\(digits)f") }

  /// A number by a printf format of one double.
  static func printed(_ value: Double, _ format: String) -> String { String(format: format, value) }
}
