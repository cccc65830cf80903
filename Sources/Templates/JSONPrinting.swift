/// `json.dumps` of Python, as the filter tojson of transformers calls it.
struct JSONPrinter {
  var ensuresASCII = false
  /// What one level is indented by; nil prints everything on one line.
  var indent: String?
  var itemSeparator = ", "
  var keySeparator = ": "
  var sortsKeys = false

  func print(_ value: TemplateValue) throws -> String {
    var text = ""
    try print(value, level: 0, into: &text)
    return text
  }

  private func print(_ value: TemplateValue, level: Int, into text: inout String) throws {
    switch value {
    case .none: text += "null"
    case .boolean(let boolean): text += boolean ? "true" : "false"
    case .integer(let integer): text += String(integer)
    case .number(let number):
      text +=
        number.isNaN ? "NaN" : number.isInfinite ? (number < 0 ? "-Infinity" : "Infinity") : TemplateValue.text(number)
    case .string(let string): quote(string, into: &text)
    case .list(let items), .tuple(let items):
      try enclose("[", "]", items, level: level, into: &text) { item, text in
        try print(item, level: level + 1, into: &text)
      }
    case .dictionary(let dictionary):
      var entries = try dictionary.entries.map { (key: try key($0), value: $1) }
      if sortsKeys { entries.sort { $0.key.unicodeScalars.lexicographicallyPrecedes($1.key.unicodeScalars) } }
      try enclose("{", "}", entries, level: level, into: &text) { entry, text in
        quote(entry.key, into: &text)
        text += keySeparator
        try print(entry.value, level: level + 1, into: &text)
      }
    case .undefined, .namespace, .function, .loop: throw TemplateFailure("tojson cannot print \(value.kind)")
    }
  }

  private func key(_ value: TemplateValue) throws -> String {
    switch value {
    case .string(let string): string
    case .none: "null"
    case .boolean(let boolean): boolean ? "true" : "false"
    default: value.text
    }
  }

  private func enclose<T>(
    _ open: String, _ close: String, _ items: [T], level: Int, into text: inout String,
    _ body: (T, inout String) throws -> Void
  ) throws {
    text += open
    for (index, item) in items.enumerated() {
      if index > 0 { text += itemSeparator }
      if let indent { text += "\n" + String(repeating: indent, count: level + 1) }
      try body(item, &text)
    }
    if let indent, !items.isEmpty { text += "\n" + String(repeating: indent, count: level) }
    text += close
  }

  private func quote(_ string: String, into text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{8}": text += "\\b"
      case "\u{C}": text += "\\f"
      default:
        if scalar.value < 0x20 || ensuresASCII && !(scalar.value < 0x7F || scalar.value == 0x7F) {
          for unit in String(scalar).utf16 {
            let digits = String(unit, radix: 16)
            text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
          }
        } else {
          text.unicodeScalars.append(scalar)
        }
      }
    }
    text += "\""
  }
}
