/// JSON text (RFC 8259) to values and back.
public enum JSON {
  /// Parses one JSON value that fills the whole text. Accepts the non-standard NaN, Infinity and -Infinity that
  /// Python writes. Depth is bounded; strings that are not UTF-8 are an error.
  /// - Parameters:
  ///   - source: what the text is, for messages: "config.json".
  ///   - line: the number of the text's first line there.
  ///   - allowsDuplicates: whether a duplicate key keeps the last value, as in Python; else it is an error.
  public static func parse(
    _ text: some Sequence<UInt8>, source: String, line: Int = 1, allowsDuplicates: Bool = true
  ) throws(GRAOError) -> Value {
    try Array(text).withUnsafeBufferPointer { bytes throws(GRAOError) in
      var parser = Parser(bytes: bytes, source: source, line: line, allowsDuplicates: allowsDuplicates)
      return try parser.document()
    }
  }

  /// The same of a string.
  public static func parse(_ text: String, source: String) throws(GRAOError) -> Value {
    try parse(text.utf8, source: source)
  }

  /// Compact text, or indented by two spaces a level where `pretty`. A non-finite number or a host object is an error.
  public static func print(_ value: Value, pretty: Bool = false) throws(GRAOError) -> String {
    var printer = Printer(pretty: pretty)
    try printer.write(value, indent: 0)
    return String(decoding: printer.out, as: UTF8.self)
  }
}

private struct Parser {
  let bytes: UnsafeBufferPointer<UInt8>
  let source: String
  let firstLine: Int
  let allowsDuplicates: Bool
  var position = 0
  var depth = 0

  init(bytes: UnsafeBufferPointer<UInt8>, source: String, line: Int, allowsDuplicates: Bool) {
    self.bytes = bytes
    self.allowsDuplicates = allowsDuplicates
    self.source = source
    firstLine = line
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  func failure(_ what: String) -> GRAOError {
    let line = firstLine + bytes[..<min(position, bytes.count)].count { $0 == UInt8(ascii: "\n") }
    return GRAOError("\(source): line \(line): \(what)")
  }

  mutating func document() throws(GRAOError) -> Value {
    let value = try self.value()
    skipSpace()
    guard position == bytes.count else { throw failure("expected the end of the JSON text") }
    return value
  }

  mutating func skipSpace() {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
      position += 1
    }
  }

  mutating func take(_ word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    guard bytes.count - position >= count else { return false }
    for i in 0..<count where bytes[position + i] != word.utf8Start[i] { return false }
    position += count
    return true
  }

  mutating func value() throws(GRAOError) -> Value {
    skipSpace()
    guard position < bytes.count else { throw failure("expected a JSON value, found the end") }
    switch bytes[position] {
    case UInt8(ascii: "{"): return try table()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t") where take("true"): return .boolean(true)
    case UInt8(ascii: "f") where take("false"): return .boolean(false)
    case UInt8(ascii: "n") where take("null"): return .null
    case UInt8(ascii: "N") where take("NaN"): return .number(.nan)
    case UInt8(ascii: "I") where take("Infinity"): return .number(.infinity)
    case UInt8(ascii: "-") where take("-Infinity"): return .number(-.infinity)
    default: return try number()
    }
  }

  mutating func enter() throws(GRAOError) {
    depth += 1
    position += 1
    guard depth <= 256 else { throw failure("nested more than 256 levels deep") }
  }

  mutating func array() throws(GRAOError) -> Value {
    try enter()
    defer { depth -= 1 }
    var elements: [Value] = []
    skipSpace()
    if take("]") { return .array(elements) }
    while true {
      elements.append(try value())
      skipSpace()
      if take("]") { return .array(elements) }
      guard take(",") else { throw failure("expected ',' or ']' in an array") }
    }
  }

  mutating func table() throws(GRAOError) -> Value {
    try enter()
    defer { depth -= 1 }
    var table = Table()
    skipSpace()
    if take("}") { return .table(table) }
    while true {
      skipSpace()
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw failure("expected a key") }
      let key = try string()
      skipSpace()
      guard take(":") else { throw failure("expected ':' after the key \"\(key)\"") }
      guard allowsDuplicates || table[key] == nil else { throw failure("the key \"\(key)\" stands there twice") }
      table[key] = try value()
      skipSpace()
      if take("}") { return .table(table) }
      guard take(",") else { throw failure("expected ',' or '}' after the value of \"\(key)\"") }
    }
  }

  mutating func string() throws(GRAOError) -> String {
    position += 1
    var start = position
    // Most strings hold no escape and are cut out whole.
    while position < bytes.count, bytes[position] >= 0x20, bytes[position] != 0x22, bytes[position] != 0x5C {
      position += 1
    }
    if position < bytes.count, bytes[position] == 0x22 {
      defer { position += 1 }
      return try text(UnsafeBufferPointer(rebasing: bytes[start..<position]))
    }
    var content: [UInt8] = []
    position = start
    while position < bytes.count {
      let byte = bytes[position]
      switch byte {
      case 0x22:
        content += bytes[start..<position]
        position += 1
        return try text(content)
      case 0x5C:
        content += bytes[start..<position]
        position += 1
        try escape(into: &content)
        start = position
      case 0..<0x20: throw failure("a control character inside a string")
      default: position += 1
      }
    }
    throw failure("a string without its closing quote")
  }

  func text(_ utf8: some Collection<UInt8>) throws(GRAOError) -> String {
    guard let text = String(validating: utf8, as: UTF8.self) else { throw failure("text that is not UTF-8") }
    return text
  }

  mutating func escape(into text: inout [UInt8]) throws(GRAOError) {
    guard position < bytes.count else { throw failure("a string without its closing quote") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var scalar = try hexadecimal()
      if (0xD800..<0xDC00).contains(scalar), take("\\u") {
        let low = try hexadecimal()
        if (0xDC00..<0xE000).contains(low) {
          scalar = 0x10000 + ((scalar - 0xD800) << 10) + (low - 0xDC00)
        } else {
          text += Array("\u{FFFD}".utf8)
          scalar = low
        }
      }
      // A lone surrogate has no UTF-8 form.
      text += Array(String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
    default: throw failure("an unknown escape in a string")
    }
  }

  mutating func hexadecimal() throws(GRAOError) -> UInt32 {
    guard bytes.count - position >= 4,
      bytes[position..<position + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let value = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
    else { throw failure("expected four hexadecimal digits after \\u") }
    position += 4
    return value
  }

  mutating func number() throws(GRAOError) -> Value {
    let start = position
    func digit(_ at: Int) -> Bool { at < bytes.count && (0x30...0x39).contains(bytes[at]) }
    var isInteger = true
    if position < bytes.count, bytes[position] == UInt8(ascii: "-") { position += 1 }
    guard digit(position) else {
      position = start
      throw failure("expected a JSON value")
    }
    if bytes[position] == UInt8(ascii: "0"), digit(position + 1) { throw failure("a number with a leading zero") }
    while digit(position) { position += 1 }
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      guard digit(position) else { throw failure("expected a digit after the decimal point") }
      while digit(position) { position += 1 }
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      position += 1
      if position < bytes.count, bytes[position] == 0x2B || bytes[position] == 0x2D { position += 1 }
      guard digit(position) else { throw failure("expected a digit in the exponent") }
      while digit(position) { position += 1 }
    }
    let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
    if isInteger, let value = Int(text) { return .integer(value) }
    guard let value = Double(text) else { throw failure("expected a number, found \(text)") }
    return .number(value)
  }
}

private struct Printer {
  let pretty: Bool
  var out: [UInt8] = []

  init(pretty: Bool) { self.pretty = pretty }

  mutating func newline(_ indent: Int) {
    guard pretty else { return }
    out.append(0x0A)
    out += repeatElement(0x20, count: 2 * indent)
  }

  mutating func write(_ value: Value, indent: Int) throws(GRAOError) {
    guard indent <= 256 else { throw GRAOError("JSON: nested more than 256 levels deep") }
    switch value {
    case .null: out += "null".utf8
    case .boolean(let value): out += (value ? "true" : "false").utf8
    case .integer(let value): out += String(value).utf8
    case .number(let value):
      guard value.isFinite else { throw GRAOError("JSON has no form for the number \(value)") }
      out += value.description.utf8
    case .string(let value): write(value)
    case .array(let elements):
      out.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { out += (pretty ? "," : ", ").utf8 }
        newline(indent + 1)
        try write(element, indent: indent + 1)
      }
      if !elements.isEmpty { newline(indent) }
      out.append(UInt8(ascii: "]"))
    case .table(let table):
      out.append(UInt8(ascii: "{"))
      for (index, (key, element)) in table.enumerated() {
        if index > 0 { out += (pretty ? "," : ", ").utf8 }
        newline(indent + 1)
        write(key)
        out += ": ".utf8
        try write(element, indent: indent + 1)
      }
      if !table.isEmpty { newline(indent) }
      out.append(UInt8(ascii: "}"))
    case .object: throw GRAOError("JSON has no form for \(value.kind)")
    }
  }

  mutating func write(_ string: String) {
    out.append(0x22)
    for byte in string.utf8 {
      switch byte {
      case 0x22: out += "\\\"".utf8
      case 0x5C: out += "\\\\".utf8
      case 0x0A: out += "\\n".utf8
      case 0x0D: out += "\\r".utf8
      case 0x09: out += "\\t".utf8
      case 0..<0x20:
        let digits = String(byte, radix: 16)
        out += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8
      default: out.append(byte)
      }
    }
    out.append(0x22)
  }
}
