/// json.dumps, as transformers' `tojson` calls it.
struct JSONWriter {
  private let interpreter: Interpreter
  private let ensureASCII: Bool
  private let indent: Text?
  private let itemSeparator: Text
  private let keySeparator: Text
  private let sortsKeys: Bool
  private var out: [UInt8] = []

  /// - Parameter indent: what one level is indented by; nil for text on one line.
  static func text(
    _ object: Object, ensureASCII: Bool, indent: Text?, separators: (item: Text, key: Text)?, sortsKeys: Bool,
    _ interpreter: Interpreter
  ) throws(Failure) -> Text {
    var writer = JSONWriter(
      interpreter: interpreter, ensureASCII: ensureASCII, indent: indent,
      itemSeparator: separators?.item ?? (indent == nil ? ", " : ","), keySeparator: separators?.key ?? ": ",
      sortsKeys: sortsKeys)
    try writer.write(object, level: 0)
    try interpreter.checkLength(writer.out.count)
    try interpreter.charge(writer.out.count / 64)
    return Text(bytes: writer.out)
  }

  private init(
    interpreter: Interpreter, ensureASCII: Bool, indent: Text?, itemSeparator: Text, keySeparator: Text,
    sortsKeys: Bool
  ) {
    self.interpreter = interpreter
    self.ensureASCII = ensureASCII
    self.indent = indent
    self.itemSeparator = itemSeparator
    self.keySeparator = keySeparator
    self.sortsKeys = sortsKeys
  }

  private mutating func write(_ object: Object, level: Int) throws(Failure) {
    try interpreter.charge(1)
    try interpreter.checkLength(out.count)
    switch object {
    case .none: out += "null".utf8
    case .boolean(let value): out += (value ? "true" : "false").utf8
    case .integer(let value): out += String(value).utf8
    case .float(let value): out += JSONWriter.number(value).utf8
    case .string(let text): try write(text)
    case .list(let elements), .tuple(let elements):
      out.append(UInt8(ascii: "["))
      for (index, element) in elements.array.enumerated() {
        if index > 0 { out += itemSeparator.bytes }
        try newline(level + 1)
        try writeNested(element, level: level + 1)
      }
      if !elements.array.isEmpty { try newline(level) }
      out.append(UInt8(ascii: "]"))
    case .dictionary(let dictionary):
      out.append(UInt8(ascii: "{"))
      for (index, (key, value)) in try sorted(dictionary).enumerated() {
        if index > 0 { out += itemSeparator.bytes }
        try newline(level + 1)
        try write(name(key))
        out += keySeparator.bytes
        try writeNested(value, level: level + 1)
      }
      if dictionary.count > 0 { try newline(level) }
      out.append(UInt8(ascii: "}"))
    default: throw Failure("Object of type \(object.type) is not JSON serializable")
    }
  }

  private mutating func writeNested(_ object: Object, level: Int) throws(Failure) {
    try interpreter.nested { () throws(Failure) in try write(object, level: level) }
  }

  private func sorted(_ dictionary: Dictionary) throws(Failure) -> [(key: Object, value: Object)] {
    guard sortsKeys else { return dictionary.pairs }
    return try Sorting.sorted(dictionary.pairs, by: { $0.key }, interpreter)
  }

  private func name(_ key: Object) throws(Failure) -> Text {
    switch key {
    case .string(let text): return text
    case .none: return "null"
    case .boolean(let value): return value ? "true" : "false"
    case .integer(let value): return Text(String(value))
    case .float(let value): return Text(JSONWriter.number(value))
    default: throw Failure("keys must be str, int, float, bool or None, not \(key.type)")
    }
  }

  private mutating func newline(_ level: Int) throws(Failure) {
    guard let indent else { return }
    try interpreter.checkLength(out.count + level * indent.bytes.count)
    out.append(UInt8(ascii: "\n"))
    for _ in 0..<level { out += indent.bytes }
  }

  private static func number(_ value: Double) -> String {
    value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : Python.repr(value)
  }

  private mutating func write(_ text: Text) throws(Failure) {
    try interpreter.charge(text.bytes.count / 64)
    out.append(UInt8(ascii: "\""))
    if ensureASCII {
      for unit in text.string.utf16 {
        if let byte = UInt8(exactly: unit), byte < 0x7F { escape(byte) } else { unicode(unit) }
      }
    } else {
      for byte in text.bytes { escape(byte) }
    }
    out.append(UInt8(ascii: "\""))
  }

  private mutating func escape(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): out += "\\\"".utf8
    case UInt8(ascii: "\\"): out += "\\\\".utf8
    case 0x08: out += "\\b".utf8
    case 0x09: out += "\\t".utf8
    case 0x0A: out += "\\n".utf8
    case 0x0C: out += "\\f".utf8
    case 0x0D: out += "\\r".utf8
    case 0..<0x20: unicode(UInt16(byte))
    default: out.append(byte)
    }
  }

  private mutating func unicode(_ unit: UInt16) {
    out += ("\\u" + JSONWriter.hexadecimal(UInt32(unit), width: 4)).utf8
  }

  static func hexadecimal(_ value: UInt32, width: Int) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
