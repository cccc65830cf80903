/// Python's str and repr.
struct Printer {
  private(set) var bytes: [UInt8] = []
  private let interpreter: Interpreter

  init(_ interpreter: Interpreter) { self.interpreter = interpreter }

  mutating func write(_ string: String) throws(Failure) {
    bytes += string.utf8
    try interpreter.checkLength(bytes.count)
  }

  mutating func write(_ object: Object, asRepr: Bool) throws(Failure) {
    try interpreter.charge(1)
    switch object {
    case .undefined: if asRepr { try write("Undefined") }
    case .none: try write("None")
    case .boolean(let value): try write(value ? "True" : "False")
    case .integer(let value): try write(String(value))
    case .float(let value): try write(Python.repr(value))
    case .string(let text):
      try interpreter.charge(text.bytes.count / 64)
      if asRepr { bytes += Printer.repr(text).bytes } else { bytes += text.bytes }
      try interpreter.checkLength(bytes.count)
    case .list(let elements): try write(elements, "[", "]")
    case .tuple(let elements): try write(elements, "(", elements.array.count == 1 ? ",)" : ")")
    case .dictionary(let dictionary): try write(dictionary.pairs)
    case .range(_, let description): try write(description)
    case .view(let elements, let name): try write(elements, name + "([", "])")
    case .iterator: try write("<generator object>")
    case .host(let host): try host.description(&self)
    }
  }

  private mutating func write(_ elements: Elements, _ open: String, _ close: String) throws(Failure) {
    try write(open)
    for (index, element) in elements.array.enumerated() {
      if index > 0 { try write(", ") }
      try writeNested(element)
    }
    try write(close)
  }

  mutating func write(_ pairs: [(key: Object, value: Object)]) throws(Failure) {
    try write("{")
    for (index, (key, value)) in pairs.enumerated() {
      if index > 0 { try write(", ") }
      try writeNested(key)
      try write(": ")
      try writeNested(value)
    }
    try write("}")
  }

  private mutating func writeNested(_ object: Object) throws(Failure) {
    var printer = self
    bytes = []
    self = try interpreter.nested { () throws(Failure) in
      try printer.write(object, asRepr: true)
      return printer
    }
  }

  /// repr(str): in single quotes, or in double ones where that saves escapes.
  static func repr(_ text: Text) -> Text {
    let quote: Unicode.Scalar = text.contains("'") && !text.contains("\"") ? "\"" : "'"
    var out = Text("")
    out.append(quote)
    for scalar in text.string.unicodeScalars {
      switch scalar {
      case quote, "\\":
        out.append("\\" as Unicode.Scalar)
        out.append(scalar)
      case "\n": out.append("\\n" as Text)
      case "\r": out.append("\\r" as Text)
      case "\t": out.append("\\t" as Text)
      default:
        guard !scalar.isPrintable else {
          out.append(scalar)
          continue
        }
        let (letter, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
        out.append(Text("\\" + letter + JSONWriter.hexadecimal(scalar.value, width: width)))
      }
    }
    out.append(quote)
    return out
  }
}
