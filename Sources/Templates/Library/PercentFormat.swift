/// str % values
enum PercentFormat {
  static func format(_ format: Text, with value: Object, _ interpreter: Interpreter) throws(Failure) -> Text {
    let scalars = format.scalars
    var out = Text("")
    var index = 0
    var values = [value]
    if case .tuple(let elements) = value { values = elements.array }
    var used = 0
    var isNamed = false

    func peek() throws(Failure) -> Unicode.Scalar {
      guard index < scalars.count else { throw Failure("incomplete format") }
      return scalars[index]
    }
    func nextValue() throws(Failure) -> Object {
      guard used < values.count else { throw Failure("not enough arguments for format string") }
      used += 1
      return values[used - 1]
    }
    func number() throws(Failure) -> Int? {
      if try peek() == "*" {
        index += 1
        guard let number = try nextValue().integer else { throw Failure("* wants int") }
        return number
      }
      var number: Int?
      while let digit = try peek().decimalValue {
        number = (number ?? 0) * 10 + digit
        guard number ?? 0 <= Limits.text else { throw Failure("a width too large") }
        index += 1
      }
      return number
    }

    while index < scalars.count {
      let scalar = scalars[index]
      index += 1
      guard scalar == "%" else {
        out.append(scalar)
        continue
      }
      var named: Object?
      if try peek() == "(" {
        guard case .dictionary(let dictionary) = value else { throw Failure("format requires a mapping") }
        var name = Text("")
        var depth = 1
        index += 1
        while true {
          let scalar = try peek()
          index += 1
          if scalar == "(" { depth += 1 }
          if scalar == ")" { depth -= 1 }
          if depth == 0 { break }
          name.append(scalar)
        }
        guard let value = dictionary[.string(name)] else { throw Failure("key '\(name.string)' is missing") }
        named = value
        isNamed = true
      }
      var specification = FormatSpecification(alignment: .right)
      var isZeroPadded = false
      flags: while true {
        switch try peek() {
        case "-": specification.alignment = .left
        case "+": specification.plus = "+"
        case " ": if specification.plus.isEmpty { specification.plus = " " }
        case "0": isZeroPadded = true
        case "#": specification.isAlternate = true
        default: break flags
        }
        index += 1
      }
      if let width = try number() {
        specification.width = Int(clamping: width.magnitude)
        if width < 0 { specification.alignment = .left }
      }
      if try peek() == "." {
        index += 1
        // A negative one, which only '*' can give, counts as 0.
        specification.precision = max(0, try number() ?? 0)
      }
      while ["h", "l", "L"].contains(try peek()) { index += 1 }
      let type = try peek()
      index += 1
      if type == "%" {
        out.append("%" as Unicode.Scalar)
        continue
      }
      let value = if let named { named } else { try nextValue() }
      specification.type = type
      if isZeroPadded, specification.alignment == .right, "diuoxXeEfFgG".unicodeScalars.contains(type) {
        specification.fill = "0"
        specification.alignment = .afterSign
      }
      out.append(try self.format(value, specification, type, interpreter))
      try interpreter.checkLength(out.bytes.count)
    }
    if !isNamed, used < values.count {
      // What can be subscripted counts as a mapping, and may stay unused.
      switch value {
      case .dictionary, .list, .range, .undefined: break
      default: throw Failure("not all arguments converted during string formatting")
      }
    }
    return out
  }

  private static func format(
    _ value: Object, _ specification: FormatSpecification, _ type: Unicode.Scalar, _ interpreter: Interpreter
  ) throws(Failure) -> Text {
    var specification = specification
    switch type {
    case "s": return try specification.string(interpreter.text(value), interpreter)
    case "r", "a":
      var printer = Printer(interpreter)
      try printer.write(value, asRepr: true)
      return try specification.string(Text(bytes: printer.bytes), interpreter)
    case "c":
      if let text = value.text, text.count == 1 { return try specification.string(text, interpreter) }
      guard let integer = value.integer else { throw Failure("%c requires an int or a unicode character") }
      return try specification.integer(integer, interpreter)
    case "d", "i", "u":
      specification.type = "d"
      if case .float(let float) = value { return try specification.integer(try Python.integer(float), interpreter) }
      guard let integer = value.integer else {
        throw Failure("%d format: a real number is required, not \(value.type)")
      }
      return try specification.integer(integer, interpreter)
    case "x", "X", "o":
      guard let integer = value.integer else {
        throw Failure("%\(type) format: an integer is required, not \(value.type)")
      }
      return try specification.integer(integer, interpreter)
    case "e", "E", "f", "F", "g", "G":
      guard let number = value.number else { throw Failure("must be real number, not \(value.type)") }
      return try specification.float(number, interpreter)
    default: throw Failure("unsupported format character '\(type)'")
    }
  }
}

extension Unicode.Scalar {
  /// 0 to 9 of an ASCII digit.
  var decimalValue: Int? { ("0"..."9").contains(self) ? Int(value - 0x30) : nil }
}
