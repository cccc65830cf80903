/// str.format
enum BraceFormat {
  static func format(_ format: Text, _ arguments: Arguments, _ interpreter: Interpreter) throws(Failure) -> Text {
    var formatter = Formatter(arguments: arguments, interpreter: interpreter)
    return try formatter.format(format.scalars[...], depth: 0)
  }

  private struct Formatter {
    let arguments: Arguments
    let interpreter: Interpreter
    /// The place of the next {} without a number; nil once a number was given.
    var next: Int? = 0
    var isNumbered = false

    mutating func format(_ scalars: ArraySlice<Unicode.Scalar>, depth: Int) throws(Failure) -> Text {
      guard depth < 2 else { throw Failure("Max string recursion exceeded") }
      var out = Text("")
      var index = scalars.startIndex
      while index < scalars.endIndex {
        let scalar = scalars[index]
        index += 1
        if scalar == "{" || scalar == "}" {
          if index < scalars.endIndex, scalars[index] == scalar {
            out.append(scalar)
            index += 1
            continue
          }
          guard scalar == "{" else { throw Failure("Single '}' encountered in format string") }
          var end = index
          var open = 1
          while end < scalars.endIndex {
            if scalars[end] == "{" { open += 1 }
            if scalars[end] == "}" { open -= 1 }
            if open == 0 { break }
            end += 1
          }
          guard open == 0 else { throw Failure("expected '}' before end of string") }
          out.append(try field(scalars[index..<end], depth: depth))
          try interpreter.checkLength(out.bytes.count)
          index = end + 1
        } else {
          out.append(scalar)
        }
      }
      return out
    }

    /// name!conversion:specification
    private mutating func field(_ field: ArraySlice<Unicode.Scalar>, depth: Int) throws(Failure) -> Text {
      var nameEnd = field.startIndex
      var brackets = 0
      while nameEnd < field.endIndex {
        if field[nameEnd] == "[" { brackets += 1 }
        if field[nameEnd] == "]" { brackets -= 1 }
        if brackets == 0, field[nameEnd] == "!" || field[nameEnd] == ":" { break }
        nameEnd += 1
      }
      var value = try value(field[..<nameEnd])
      var rest = field[nameEnd...]
      if rest.first == "!" {
        rest = rest.dropFirst()
        guard let conversion = rest.popFirst() else { throw Failure("unmatched '{' in format spec") }
        switch conversion {
        case "s": value = .string(try interpreter.text(value))
        case "r", "a":
          var printer = Printer(interpreter)
          try printer.write(value, asRepr: true)
          value = .string(Text(bytes: printer.bytes))
        default: throw Failure("Unknown conversion specifier '\(conversion)'")
        }
        guard rest.isEmpty || rest.first == ":" else { throw Failure("expected ':' after conversion specifier") }
      }
      let specification = rest.isEmpty ? Text("") : try format(rest.dropFirst(), depth: depth + 1)
      return try BraceFormat.format(value, specification, interpreter)
    }

    private mutating func value(_ path: ArraySlice<Unicode.Scalar>) throws(Failure) -> Object {
      let first = path.prefix { $0 != "." && $0 != "[" }
      let name = Text(scalars: first)
      var value: Object
      if first.isEmpty || first.allSatisfy({ $0.decimalValue != nil }) {
        let place: Int
        if first.isEmpty {
          guard !isNumbered, let automatic = next else {
            throw Failure("cannot switch from manual field specification to automatic field numbering")
          }
          place = automatic
          next = automatic + 1
        } else {
          guard next == 0 || isNumbered else {
            throw Failure("cannot switch from automatic field numbering to manual field specification")
          }
          isNumbered = true
          place = Int(name.string) ?? .max
        }
        guard arguments.positional.indices.contains(place) else {
          throw Failure("Replacement index \(place) out of range for positional args tuple")
        }
        value = arguments.positional[place]
      } else {
        try interpreter.charge(arguments.named.count)
        guard let named = arguments.named.first(where: { $0.name == name }) else {
          throw Failure("'\(name.string)' is not an argument of format")
        }
        value = named.value
      }
      var rest = path.dropFirst(first.count)
      while let opener = rest.popFirst() {
        if opener == "." {
          let name = rest.prefix { $0 != "." && $0 != "[" }
          guard !name.isEmpty else { throw Failure("Empty attribute in format string") }
          rest = rest.dropFirst(name.count)
          value = try interpreter.attribute(Text(scalars: name), of: value)
        } else {
          guard opener == "[" else { throw Failure("Only '.' or '[' may follow ']' in format field specifier") }
          let key = rest.prefix { $0 != "]" }
          guard key.count < rest.count, !key.isEmpty else { throw Failure("Missing ']' in format string") }
          rest = rest.dropFirst(key.count + 1)
          let text = Text(scalars: key)
          let index = key.allSatisfy { $0.decimalValue != nil } ? Int(text.string) : nil
          value = try interpreter.subscripted(value, by: index.map { .integer($0) } ?? .string(text))
        }
      }
      return value
    }
  }

  /// format(value, specification)
  private static func format(
    _ value: Object, _ text: Text, _ interpreter: Interpreter
  ) throws(Failure) -> Text {
    try interpreter.chargeText(value)
    guard !text.isEmpty else { return try interpreter.text(value) }
    let specification = try parse(text.scalars)
    let type = specification.type
    switch value {
    case .string(let string):
      guard type == nil || type == "s", specification.plus.isEmpty, specification.grouping.isEmpty,
        specification.alignment != .afterSign
      else { throw Failure("Unknown format code for object of type 'str'") }
      return try specification.string(string, interpreter)
    case .boolean, .integer:
      guard let integer = value.integer else { break }
      if type == nil, case .boolean = value { return try specification.string(interpreter.text(value), interpreter) }
      if let type, "eEfFgG%".unicodeScalars.contains(type) {
        return try specification.float(Double(integer), interpreter)
      }
      guard type.map({ "dxXobcn".unicodeScalars.contains($0) }) ?? true, specification.precision == nil else { break }
      return try specification.integer(integer, interpreter)
    case .float(let number):
      guard type.map({ "eEfFgGn%".unicodeScalars.contains($0) }) ?? true else { break }
      return try specification.float(number, interpreter)
    default: break
    }
    throw Failure("unsupported format string for an object of type '\(value.type)'")
  }

  /// [[fill]align][sign][#][0][width][grouping][.precision][type]
  private static func parse(_ scalars: [Unicode.Scalar]) throws(Failure) -> FormatSpecification {
    let alignments: [Unicode.Scalar: FormatSpecification.Alignment] = [
      "<": .left, ">": .right, "^": .center, "=": .afterSign,
    ]
    var specification = FormatSpecification()
    var rest = scalars[...]
    if rest.count >= 2, let alignment = alignments[rest[rest.startIndex + 1]] {
      specification.fill = rest[rest.startIndex]
      specification.alignment = alignment
      rest = rest.dropFirst(2)
    } else if let first = rest.first, let alignment = alignments[first] {
      specification.alignment = alignment
      rest = rest.dropFirst()
    }
    if let sign = rest.first, sign == "+" || sign == "-" || sign == " " {
      specification.plus = sign == "-" ? "" : String(sign)
      rest = rest.dropFirst()
    }
    if rest.first == "#" {
      specification.isAlternate = true
      rest = rest.dropFirst()
    }
    if rest.first == "0" {
      if specification.alignment == nil {
        specification.fill = "0"
        specification.alignment = .afterSign
      }
      rest = rest.dropFirst()
    }
    func number() throws(Failure) -> Int? {
      var number: Int?
      while let digit = rest.first?.decimalValue {
        number = (number ?? 0) * 10 + digit
        guard number ?? 0 <= Limits.text else { throw Failure("a width too large") }
        rest = rest.dropFirst()
      }
      return number
    }
    specification.width = try number() ?? 0
    if let grouping = rest.first, grouping == "," || grouping == "_" {
      specification.grouping = String(grouping)
      rest = rest.dropFirst()
    }
    if rest.first == "." {
      rest = rest.dropFirst()
      guard let precision = try number() else { throw Failure("Format specifier missing precision") }
      specification.precision = precision
    }
    specification.type = rest.popFirst()
    guard rest.isEmpty else { throw Failure("Invalid format specifier") }
    return specification
  }
}
