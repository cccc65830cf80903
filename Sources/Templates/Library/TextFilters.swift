/// Filters of strings; other values are printed first.
extension Filter {
  static let textFilters: [String: Body] = [
    "upper": text("upper") { $0.uppercased },
    "lower": text("lower") { $0.lowercased },
    "capitalize": text("capitalize") { $0.capitalized },
    "title": text("title", title),
    "trim": taking("trim", ["chars"]) { (value, arguments, interpreter) throws(Failure) in
      let text = try interpreter.text(value)
      if case .some(.none) = arguments[0] { return .string(text.trimmed()) }
      return .string(
        text.trimmed(try arguments[0].map { (set) throws(Failure) in try Optional(set).text("trim: chars") }))
    },
    "center": taking("center", ["width"]) { (value, arguments, interpreter) throws(Failure) in
      let width = try arguments[0].integer("center: width", default: 80)
      return .string(try Methods.centered(interpreter.text(value), width: width, " ", interpreter))
    },
    "replace": taking("replace", ["old", "new", "count"]) { (value, arguments, interpreter) throws(Failure) in
      let count: Int
      if case .some(.none) = arguments[2] {
        count = -1
      } else {
        count = try arguments[2].integer("replace: count", default: -1)
      }
      return .string(
        try Methods.replaced(
          interpreter.text(value), interpreter.text(arguments[0].required("replace: old")),
          interpreter.text(arguments[1].required("replace: new")), count, interpreter))
    },
    "indent": taking("indent", ["width", "first", "blank"]) { (value, arguments, interpreter) throws(Failure) in
      if case .undefined(let reason) = value { throw Failure(reason) }
      let indent: Text
      if let text = arguments[0]?.text {
        indent = text
      } else {
        let width = max(0, try arguments[0].integer("indent: width", default: 4))
        indent = try Methods.padded("", left: width, right: 0, " ", interpreter)
      }
      let indentsBlank = arguments[2].isTrue(default: false)
      let lines = (try Optional(value).text("indent: the value") + "\n").lines()
      var out = arguments[1].isTrue(default: false) ? indent : Text("")
      for (index, line) in lines.enumerated() {
        if index > 0 {
          out.append("\n" as Text)
          if indentsBlank || !line.isEmpty { out.append(indent) }
        }
        out.append(line)
        try interpreter.checkLength(out.bytes.count)
      }
      try interpreter.charge(out.bytes.count / 64)
      return .string(out)
    },
    "truncate": taking(
      "truncate", ["length", "killwords", "end", "leeway"]
    ) { (value, arguments, interpreter) throws(Failure) in
      let length = try arguments[0].integer("truncate: length", default: 255)
      let end = try arguments[2].text("truncate: end", default: "...")
      var leeway = 5
      if let given = arguments[3], !given.isNone { leeway = try Optional(given).integer("truncate: leeway") }
      guard length >= end.count, leeway >= 0 else { throw Failure("truncate: the length is shorter than its end") }
      // Whatever has a length may be short enough; only a string can be cut.
      if try size(of: value) - leeway <= length { return value }
      let text = try Optional(value).text("truncate: the value")
      let cut = text.slice(0..<min(text.count, length - end.count))
      if arguments[1].isTrue(default: false) { return .string(cut + end) }
      return .string((cut.splitFromEnd(by: " ", limit: 1).first ?? cut) + end)
    },
    "wordcount": taking("wordcount", []) { (value, _, interpreter) throws(Failure) in
      var count = 0
      var isInside = false
      for scalar in try interpreter.text(value).string.unicodeScalars {
        if scalar.isWord, !isInside { count += 1 }
        isInside = scalar.isWord
      }
      return .integer(count)
    },
    "format": { (value, arguments, interpreter) throws(Failure) in
      guard arguments.positional.isEmpty || arguments.named.isEmpty else {
        throw Failure("format cannot take positional and named arguments at the same time")
      }
      try interpreter.chargeText(value)
      let values: Object =
        arguments.named.isEmpty
        ? try .tuple(arguments.positional)
        : .dictionary(try Dictionary(arguments.named.map { (.string($0.name), $0.value) }))
      return .string(try PercentFormat.format(interpreter.text(value), with: values, interpreter))
    },
    "urlencode": taking("urlencode", []) { (value, _, interpreter) throws(Failure) in
      switch value {
      case .string, .undefined, .none, .boolean, .integer, .float, .host:
        let text = quoted(try interpreter.text(value), keeping: "/")
        try interpreter.checkLength(text.bytes.count)
        return .string(text)
      default:
        let pairs: [Object] =
          if case .dictionary(let dictionary) = value {
            try dictionary.pairs.map { (pair) throws(Failure) in try .tuple([pair.key, pair.value]) }
          } else {
            try interpreter.elements(value)
          }
        let parts = try pairs.map { (pair) throws(Failure) in
          let pair = try interpreter.elements(pair)
          guard pair.count == 2 else { throw Failure("urlencode: each element must be a pair") }
          return quoted(try interpreter.text(pair[0]), keeping: "", spaceAsPlus: true) + "="
            + quoted(try interpreter.text(pair[1]), keeping: "", spaceAsPlus: true)
        }
        return .string(try Methods.joined(parts, by: "&", interpreter))
      }
    },
    "wordwrap": taking(
      "wordwrap", ["width", "break_long_words", "wrapstring", "break_on_hyphens"]
    ) { (value, arguments, interpreter) throws(Failure) in
      let width = try arguments[0].integer("wordwrap: width", default: 79)
      var newline: Text = "\n"
      if let given = arguments[2], !given.isNone { newline = try Optional(given).text("wordwrap: wrapstring") }
      let lines = try Optional(value).text("wordwrap: the value").lines()
      guard width > 0 || lines.isEmpty else { throw Failure("wordwrap: the width must be more than 0") }
      let wrapping = Wrapping(
        width: width, breaksLongWords: arguments[1].isTrue(default: true),
        breaksAtHyphens: arguments[3].isTrue(default: true))
      let wrapped = try lines.map { (line) throws(Failure) in
        try Methods.joined(wrapping.lines(of: line), by: newline, interpreter)
      }
      return .string(try Methods.joined(wrapped, by: newline, interpreter))
    },
    "pprint": taking("pprint", []) { (value, _, interpreter) throws(Failure) in
      .string(try PrettyPrinter(value, interpreter).text)
    },
  ]

  private static func text(_ name: String, _ body: @escaping @Sendable (Text) -> Text) -> Body {
    taking(name, []) { (value, _, interpreter) throws(Failure) in .string(body(try interpreter.text(value))) }
  }

  /// Each word, as white space, hyphens and opening brackets part them, begins upper and goes on lower.
  private static func title(_ text: Text) -> Text {
    var out = Text("")
    var word: [Unicode.Scalar] = []
    func flush() {
      guard let first = word.first else { return }
      out.append(Text(scalars: [first]).uppercased)
      out.append(Text(scalars: word.dropFirst()).lowercased)
      word = []
    }
    for scalar in text.scalars {
      if scalar.isSpace || "-({[<".unicodeScalars.contains(scalar) {
        flush()
        out.append(scalar)
      } else {
        word.append(scalar)
      }
    }
    flush()
    return out
  }

  /// urllib.parse.quote and quote_plus
  private static func quoted(_ text: Text, keeping: String, spaceAsPlus: Bool = false) -> Text {
    let safe = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~\(keeping)".utf8)
    var out: [UInt8] = []
    for byte in text.bytes {
      if safe.contains(byte) {
        out.append(byte)
      } else if spaceAsPlus, byte == UInt8(ascii: " ") {
        out.append(UInt8(ascii: "+"))
      } else {
        out += ("%" + JSONWriter.hexadecimal(UInt32(byte), width: 2).uppercased()).utf8
      }
    }
    return Text(bytes: out)
  }
}
