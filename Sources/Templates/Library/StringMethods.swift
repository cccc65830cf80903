/// Python's methods of strings.
extension Methods {
  static func method(of text: Text, _ name: Text) -> Object? {
    guard let method = strings[name] else { return nil }
    return bound(name.string, depth: 0) { (arguments, interpreter) throws(Failure) in
      try interpreter.charge(1 + text.bytes.count / 16)
      return try method(text, arguments, interpreter)
    }
  }

  private typealias Method = @Sendable (Text, Arguments, Interpreter) throws(Failure) -> Object

  /// A method without arguments.
  private static func plain(_ name: String, _ body: @escaping @Sendable (Text) -> Object) -> Method {
    { (text, arguments, _) throws(Failure) in
      try arguments.none(name)
      return body(text)
    }
  }

  private static let strings: [Text: Method] = [
    "upper": plain("upper") { .string($0.uppercased) },
    "lower": plain("lower") { .string($0.lowercased) },
    "capitalize": plain("capitalize") { .string($0.capitalized) },
    "title": plain("title") { .string($0.titled) },
    "casefold": plain("casefold") { .string($0.caseFolded) },
    "swapcase": plain("swapcase") { .string($0.swappedCase) },
    "isspace": plain("isspace") { .boolean($0.isAll(\.isSpace)) },
    "isalpha": plain("isalpha") { .boolean($0.isAll(\.isAlphabetic)) },
    "isalnum": plain("isalnum") { .boolean($0.isAll(\.isAlphanumeric)) },
    "isdigit": plain("isdigit") { .boolean($0.isAll(\.isDigit)) },
    "isdecimal": plain("isdecimal") { .boolean($0.isAll(\.isDecimal)) },
    "isnumeric": plain("isnumeric") { .boolean($0.isAll { $0.properties.numericType != nil }) },
    "isascii": plain("isascii") { .boolean($0.isASCII) },
    "isprintable": plain("isprintable") { .boolean($0.string.unicodeScalars.allSatisfy(\.isPrintable)) },
    "islower": plain("islower") { .boolean($0.isLower) },
    "isupper": plain("isupper") { .boolean($0.isUpper) },
    "istitle": plain("istitle") { .boolean($0.isTitle) },
    "isidentifier": plain("isidentifier") { text in
      let scalars = text.scalars
      guard let first = scalars.first else { return .boolean(false) }
      return .boolean(
        (first == "_" || first.properties.isXIDStart) && scalars.allSatisfy { $0.properties.isXIDContinue })
    },
    "strip": { (text, arguments, _) throws(Failure) in .string(text.trimmed(try set(arguments, "strip"))) },
    "lstrip": { (text, arguments, _) throws(Failure) in
      .string(text.trimmed(try set(arguments, "lstrip"), trailing: false))
    },
    "rstrip": { (text, arguments, _) throws(Failure) in
      .string(text.trimmed(try set(arguments, "rstrip"), leading: false))
    },
    "removeprefix": { (text, arguments, _) throws(Failure) in
      let prefix = try arguments.positional(["prefix"], of: "removeprefix")[0].text("removeprefix: prefix")
      return .string(text.hasPrefix(prefix) ? Text(bytes: text.bytes.dropFirst(prefix.bytes.count)) : text)
    },
    "removesuffix": { (text, arguments, _) throws(Failure) in
      let suffix = try arguments.positional(["suffix"], of: "removesuffix")[0].text("removesuffix: suffix")
      return .string(text.hasSuffix(suffix) ? Text(bytes: text.bytes.dropLast(suffix.bytes.count)) : text)
    },
    "split": { (text, arguments, _) throws(Failure) in
      let (separator, limit) = try splitting(arguments, "split")
      return try texts(separator.map { text.split(by: $0, limit: limit) } ?? text.words(limit: limit))
    },
    "rsplit": { (text, arguments, _) throws(Failure) in
      let (separator, limit) = try splitting(arguments, "rsplit")
      return try texts(separator.map { text.splitFromEnd(by: $0, limit: limit) } ?? text.wordsFromEnd(limit: limit))
    },
    "splitlines": { (text, arguments, _) throws(Failure) in
      let keepsEnds = try arguments.bind(["keepends"], of: "splitlines")[0].isTrue(default: false)
      return try texts(text.lines(keepingEnds: keepsEnds))
    },
    "partition": { (text, arguments, _) throws(Failure) in
      let separator = try separator(arguments, "partition")
      guard let at = text.find(separator) else { return try .tuple([.string(text), .string(""), .string("")]) }
      return try parts(text, separator, at: at)
    },
    "rpartition": { (text, arguments, _) throws(Failure) in
      let separator = try separator(arguments, "rpartition")
      guard let at = text.findLast(separator) else { return try .tuple([.string(""), .string(""), .string(text)]) }
      return try parts(text, separator, at: at)
    },
    "startswith": { (text, arguments, interpreter) throws(Failure) in
      try affix(text, arguments, "startswith", interpreter) { $0.hasPrefix($1) }
    },
    "endswith": { (text, arguments, interpreter) throws(Failure) in
      try affix(text, arguments, "endswith", interpreter) { $0.hasSuffix($1) }
    },
    "find": { (text, arguments, _) throws(Failure) in
      .integer(try search(text, arguments, "find") { $0.find($1) } ?? -1)
    },
    "rfind": { (text, arguments, _) throws(Failure) in
      .integer(try search(text, arguments, "rfind") { $0.findLast($1) } ?? -1)
    },
    "index": { (text, arguments, _) throws(Failure) in
      guard let place = try search(text, arguments, "index", { $0.find($1) }) else {
        throw Failure("substring not found")
      }
      return .integer(place)
    },
    "rindex": { (text, arguments, _) throws(Failure) in
      guard let place = try search(text, arguments, "rindex", { $0.findLast($1) }) else {
        throw Failure("substring not found")
      }
      return .integer(place)
    },
    "count": { (text, arguments, _) throws(Failure) in
      let values = try arguments.positional(["sub", "start", "end"], of: "count")
      let needle = try values[0].text("count: sub")
      guard let (part, _) = try part(text, values[1], values[2]) else { return .integer(0) }
      return .integer(needle.isEmpty ? part.count + 1 : part.occurrences(of: needle).count)
    },
    "replace": { (text, arguments, interpreter) throws(Failure) in
      let values = try arguments.positional(["old", "new", "count"], of: "replace")
      return .string(
        try replaced(
          text, try values[0].text("replace: old"), try values[1].text("replace: new"),
          try values[2].integer("replace: count", default: -1), interpreter))
    },
    "join": { (text, arguments, interpreter) throws(Failure) in
      let iterable = try arguments.positional(["iterable"], of: "join")[0].required("join: iterable")
      return .string(
        try joined(
          interpreter.elements(iterable).map { (element) throws(Failure) in
            try Optional(element).text("join: each item")
          },
          by: text, interpreter))
    },
    "format": { (text, arguments, interpreter) throws(Failure) in
      .string(try BraceFormat.format(text, arguments, interpreter))
    },
    "format_map": { (text, arguments, interpreter) throws(Failure) in
      guard case .dictionary(let mapping)? = try arguments.positional(["mapping"], of: "format_map")[0] else {
        throw Failure("format_map takes a dictionary")
      }
      try interpreter.charge(mapping.count)
      let named = mapping.pairs.compactMap { pair in pair.key.text.map { (name: $0, value: pair.value) } }
      return .string(try BraceFormat.format(text, Arguments(named: named), interpreter))
    },
    "center": { (text, arguments, interpreter) throws(Failure) in
      let (width, fill) = try padding(arguments, "center")
      return .string(try centered(text, width: width, fill, interpreter))
    },
    "ljust": { (text, arguments, interpreter) throws(Failure) in
      let (width, fill) = try padding(arguments, "ljust")
      return .string(try padded(text, left: 0, right: missing(text, width), fill, interpreter))
    },
    "rjust": { (text, arguments, interpreter) throws(Failure) in
      let (width, fill) = try padding(arguments, "rjust")
      return .string(try padded(text, left: missing(text, width), right: 0, fill, interpreter))
    },
    "zfill": { (text, arguments, interpreter) throws(Failure) in
      let width = try arguments.positional(["width"], of: "zfill")[0].integer("zfill: width")
      let sign = text.hasPrefix("-") || text.hasPrefix("+") ? 1 : 0
      let zeros = try padded("", left: missing(text, width), right: 0, "0", interpreter)
      return .string(Text(bytes: text.bytes.prefix(sign)) + zeros + Text(bytes: text.bytes.dropFirst(sign)))
    },
    "expandtabs": { (text, arguments, interpreter) throws(Failure) in
      let size = try arguments.bind(["tabsize"], of: "expandtabs")[0].integer("expandtabs: tabsize", default: 8)
      var out = Text("")
      var column = 0
      for scalar in text.scalars {
        if scalar == "\t" {
          guard size > 0 else { continue }
          try interpreter.checkLength(size)
          let count = size - column % size
          out.append(Text(repeating: " ", count: count))
          try interpreter.checkLength(out.bytes.count)
          column += count
        } else {
          out.append(scalar)
          column = scalar == "\n" || scalar == "\r" ? 0 : column + 1
        }
      }
      return .string(out)
    },
  ]

  /// The code points to strip; nil for white space.
  private static func set(_ arguments: Arguments, _ name: String) throws(Failure) -> Text? {
    switch try arguments.positional(["chars"], of: name)[0] {
    case nil, .some(.none): nil
    case let value: try value.text("\(name): chars")
    }
  }

  private static func separator(_ arguments: Arguments, _ name: String) throws(Failure) -> Text {
    let separator = try arguments.positional(["sep"], of: name)[0].text("\(name): sep")
    guard !separator.isEmpty else { throw Failure("empty separator") }
    return separator
  }

  private static func splitting(_ arguments: Arguments, _ name: String) throws(Failure) -> (Text?, limit: Int) {
    let values = try arguments.bind(["sep", "maxsplit"], of: name)
    let limit = try values[1].integer("\(name): maxsplit", default: -1)
    switch values[0] {
    case nil, .some(.none): return (nil, limit < 0 ? .max : limit)
    case let value:
      let separator = try value.text("\(name): sep")
      guard !separator.isEmpty else { throw Failure("empty separator") }
      return (separator, limit < 0 ? .max : limit)
    }
  }

  private static func texts(_ texts: [Text]) throws(Failure) -> Object { try .list(texts.map { .string($0) }) }

  private static func parts(_ text: Text, _ separator: Text, at: Int) throws(Failure) -> Object {
    try .tuple([
      .string(Text(bytes: text.bytes[..<at])), .string(separator),
      .string(Text(bytes: text.bytes[(at + separator.bytes.count)...])),
    ])
  }

  /// text[start:end], and where it begins; nil where the start lies behind the end of the text.
  private static func part(_ text: Text, _ start: Object?, _ end: Object?) throws(Failure) -> (Text, start: Int)? {
    func bound(_ value: Object?, _ otherwise: Int) throws(Failure) -> Int {
      if case .some(.none) = value { return otherwise }
      return try value.integer("a bound", default: otherwise)
    }
    let range = clamped(try bound(start, 0), try bound(end, .max), count: text.count)
    return range.map { (text.slice($0), $0.lowerBound) }
  }

  private static func affix(
    _ text: Text, _ arguments: Arguments, _ name: String, _ interpreter: Interpreter,
    _ matches: (Text, Text) -> Bool
  ) throws(Failure) -> Object {
    let values = try arguments.positional(["prefix", "start", "end"], of: name)
    var wanted: [Text]
    if case .tuple(let elements)? = values[0] {
      try interpreter.charge(elements.weight)
      wanted = try elements.array.map { (element) throws(Failure) in try Optional(element).text("\(name): each element")
      }
    } else {
      wanted = [try values[0].text("\(name): the argument")]
    }
    if values[1] == nil, values[2] == nil { return .boolean(wanted.contains { matches(text, $0) }) }
    guard let (part, _) = try part(text, values[1], values[2]) else { return .boolean(false) }
    return .boolean(wanted.contains { matches(part, $0) })
  }

  private static func search(
    _ text: Text, _ arguments: Arguments, _ name: String, _ find: (Text, Text) -> Int?
  ) throws(Failure) -> Int? {
    let values = try arguments.positional(["sub", "start", "end"], of: name)
    let needle = try values[0].text("\(name): sub")
    guard let (part, start) = try part(text, values[1], values[2]), let at = find(part, needle) else { return nil }
    return start + part.bytes[..<at].count { !Text.continues($0) }
  }

  private static func padding(_ arguments: Arguments, _ name: String) throws(Failure) -> (width: Int, fill: Text) {
    let values = try arguments.positional(["width", "fillchar"], of: name)
    let fill = try values[1].text("\(name): fillchar", default: " ")
    guard fill.count == 1 else { throw Failure("\(name): fillchar must be one character") }
    return (try values[0].integer("\(name): width"), fill)
  }

  /// How many code points a text lacks of a width, which may be any number.
  private static func missing(_ text: Text, _ width: Int) -> Int {
    let count = text.count
    return max(width, count) - count
  }

  /// str.center: as in CPython, an odd space goes to the left where the width is odd.
  static func centered(
    _ text: Text, width: Int, _ fill: Text, _ interpreter: Interpreter
  ) throws(Failure) -> Text {
    let missing = missing(text, width)
    let left = missing / 2 + (missing & width & 1)
    return try padded(text, left: left, right: missing - left, fill, interpreter)
  }

  static func padded(
    _ text: Text, left: Int, right: Int, _ fill: Text, _ interpreter: Interpreter
  ) throws(Failure) -> Text {
    try interpreter.checkLength(max(left, right))
    try interpreter.checkLength(text.bytes.count + (left + right) * fill.bytes.count)
    try interpreter.charge((left + right) / 64)
    return Text(repeating: fill, count: left) + text + Text(repeating: fill, count: right)
  }

  /// str.replace, `count` times at most where it is not negative.
  static func replaced(
    _ text: Text, _ old: Text, _ new: Text, _ count: Int, _ interpreter: Interpreter
  ) throws(Failure) -> Text {
    let limit = count < 0 ? Int.max : count
    let places = old.isEmpty ? text.count + 1 : text.occurrences(of: old, limit: limit).count
    let (growth, overflow) = places.multipliedReportingOverflow(by: new.bytes.count)
    try interpreter.checkLength(overflow ? .max : growth)
    try interpreter.checkLength(text.bytes.count + growth)
    try interpreter.charge((text.bytes.count + growth) / 16)
    return text.replacing(old, with: new, limit: limit)
  }

  static func joined(_ texts: [Text], by separator: Text, _ interpreter: Interpreter) throws(Failure) -> Text {
    var out = Text("")
    for (index, text) in texts.enumerated() {
      if index > 0 { out.append(separator) }
      out.append(text)
      try interpreter.checkLength(out.bytes.count)
    }
    try interpreter.charge(out.bytes.count / 64)
    return out
  }
}
