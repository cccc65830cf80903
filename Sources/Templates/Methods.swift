import Foundation

/// Methods of strings and mappings, as Python has them. What changes an object is refused, as in the sandbox of
/// transformers.
enum Methods {
  typealias StringMethod = @Sendable (String, CallArguments) throws -> TemplateValue
  typealias MappingMethod = @Sendable (TemplateDictionary, CallArguments) throws -> TemplateValue

  private static let changing: [String: Set<String>] = [
    "list": ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"],
    "dict": ["clear", "pop", "popitem", "setdefault", "update"],
  ]

  /// The method `name` of a value, or nil.
  static func bound(_ name: String, to value: TemplateValue) -> TemplateFunction? {
    if changing[value.kind]?.contains(name) == true {
      return TemplateFunction(name: name) { _, _ in
        throw TemplateFailure("'\(name)' would change a \(value.kind), which a template may not")
      }
    }
    switch value {
    case .string(let text):
      return stringMethods[name].map { method in TemplateFunction(name: name) { try method(text, $1) } }
    case .dictionary(let dictionary):
      return mappingMethods[name].map { method in TemplateFunction(name: name) { try method(dictionary, $1) } }
    case .list(let items), .tuple(let items):
      switch name {
      case "index":
        return TemplateFunction(name: name) { _, arguments in
          let wanted = try arguments.required(0, "value", of: "index")
          guard let index = items.firstIndex(where: { $0 == wanted }) else {
            throw TemplateFailure("\(wanted.representation) is not in the list")
          }
          return .integer(index)
        }
      case "count":
        return TemplateFunction(name: name) { _, arguments in
          let wanted = try arguments.required(0, "value", of: "count")
          return .integer(items.count { $0 == wanted })
        }
      case "copy": return TemplateFunction(name: name) { _, _ in .list(items) }
      default: return nil
      }
    default: return nil
    }
  }

  private static let mappingMethods: [String: MappingMethod] = [
    "items": { dictionary, _ in .list(dictionary.entries.map { .tuple([$0.key, $0.value]) }) },
    "keys": { dictionary, _ in .list(dictionary.keys) },
    "values": { dictionary, _ in .list(dictionary.entries.map(\.value)) },
    "copy": { dictionary, _ in .dictionary(dictionary) },
    "get": { dictionary, arguments in
      dictionary[try arguments.required(0, "key", of: "get")] ?? arguments.optional(1, "default") ?? .none
    },
  ]

  private static let stringMethods: [String: StringMethod] = [
    "strip": { text, arguments in .string(try stripped(text, arguments, left: true, right: true)) },
    "lstrip": { text, arguments in .string(try stripped(text, arguments, left: true, right: false)) },
    "rstrip": { text, arguments in .string(try stripped(text, arguments, left: false, right: true)) },
    "upper": { text, _ in .string(text.uppercased()) },
    "lower": { text, _ in .string(text.lowercased()) },
    "capitalize": { text, _ in .string(text.prefix(1).uppercased() + text.dropFirst().lowercased()) },
    "title": { text, _ in .string(titled(text)) },
    "split": { text, arguments in .list(try split(text, arguments).map { .string($0) }) },
    "rsplit": { text, arguments in .list(try splitFromEnd(text, arguments).map { .string($0) }) },
    "splitlines": { text, arguments in
      .list(lines(text, keepsEnds: arguments.flag(0, "keepends", default: false)).map { .string($0) })
    },
    "startswith": { text, arguments in
      .boolean(try affixes(arguments, of: "startswith").contains { text.utf8.starts(with: $0.utf8) })
    },
    "endswith": { text, arguments in
      .boolean(
        try affixes(arguments, of: "endswith").contains { text.utf8.reversed().starts(with: $0.utf8.reversed()) })
    },
    "removeprefix": { text, arguments in
      let affix = try arguments.required(0, "prefix", of: "removeprefix").text
      return .string(
        text.utf8.starts(with: affix.utf8)
          ? String(decoding: text.utf8.dropFirst(affix.utf8.count), as: UTF8.self) : text)
    },
    "removesuffix": { text, arguments in
      let affix = try arguments.required(0, "suffix", of: "removesuffix").text
      let ends = text.utf8.reversed().starts(with: affix.utf8.reversed())
      return .string(ends ? String(decoding: text.utf8.dropLast(affix.utf8.count), as: UTF8.self) : text)
    },
    "replace": { text, arguments in
      let old = try arguments.required(0, "old", of: "replace")
      let new = try arguments.required(1, "new", of: "replace")
      guard case .string(let old) = old, case .string(let new) = new else {
        throw TemplateFailure("replace needs strings")
      }
      return .string(replaced(text, old, new, atMost: try arguments.integer(2, "count", of: "replace") ?? -1))
    },
    "find": { text, arguments in
      let part = try arguments.required(0, "sub", of: "find").text
      guard let place = text.firstPlace(of: part, from: text.startIndex) else { return .integer(-1) }
      return .integer(text.unicodeScalars.distance(from: text.startIndex, to: place))
    },
    "rfind": { text, arguments in
      let part = try arguments.required(0, "sub", of: "rfind").text
      guard let range = text.range(of: part, options: [.backwards, .literal]) else {
        return .integer(part.isEmpty ? text.unicodeScalars.count : -1)
      }
      return .integer(text.unicodeScalars.distance(from: text.startIndex, to: range.lowerBound))
    },
    "count": { text, arguments in
      let part = try arguments.required(0, "sub", of: "count").text
      if part.isEmpty { return .integer(text.unicodeScalars.count + 1) }
      return .integer(pieces(text, part, atMost: -1).count - 1)
    },
    "join": { text, arguments in
      .string(
        try arguments.required(0, "iterable", of: "join").sequence(for: "join").map { item in
          guard case .string(let part) = item else { throw TemplateFailure("join needs strings, not \(item.kind)") }
          return part
        }.joined(separator: text))
    },
    "format": { text, arguments in .string(try FormatMethod.format(text, arguments)) },
    "isdigit": { text, _ in
      .boolean(
        !text.isEmpty
          && text.unicodeScalars.allSatisfy {
            $0.properties.numericType == .decimal || $0.properties.numericType == .digit
          })
    },
    "isalpha": { text, _ in .boolean(!text.isEmpty && text.allSatisfy(\.isLetter)) },
    "isalnum": { text, _ in .boolean(!text.isEmpty && text.allSatisfy { $0.isLetter || $0.isNumber }) },
    "isspace": { text, _ in .boolean(!text.isEmpty && text.unicodeScalars.allSatisfy(\.properties.isWhitespace)) },
    "isupper": { text, _ in .boolean(text.contains(where: \.isCased) && text == text.uppercased()) },
    "islower": { text, _ in .boolean(text.contains(where: \.isCased) && text == text.lowercased()) },
    "zfill": { text, arguments in
      let width = min(try arguments.integer(0, "width", of: "zfill") ?? 0, 1 << 16)
      let sign = text.first.map { $0 == "-" || $0 == "+" } == true ? String(text.prefix(1)) : ""
      return .string(
        sign + String(repeating: "0", count: max(width - text.unicodeScalars.count, 0)) + text.dropFirst(sign.count))
    },
  ]

  private static func stripped(_ text: String, _ arguments: CallArguments, left: Bool, right: Bool) throws -> String {
    let given = try arguments.string(0, "chars", of: "strip")
    let set = given.map { Set($0.unicodeScalars) }
    func isStripped(_ scalar: Unicode.Scalar) -> Bool {
      // Python counts the separators U+001C to U+001F as white space.
      set.map { $0.contains(scalar) } ?? (scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value))
    }
    var rest = text.unicodeScalars[...]
    while left, let first = rest.first, isStripped(first) { rest.removeFirst() }
    while right, let last = rest.last, isStripped(last) { rest.removeLast() }
    return String(rest)
  }

  private static func titled(_ text: String) -> String {
    var result = ""
    var isInWord = false
    for character in text {
      result += isInWord ? character.lowercased() : character.uppercased()
      isInWord = character.isLetter
    }
    return result
  }

  private static func affixes(_ arguments: CallArguments, of method: String) throws -> [String] {
    switch try arguments.required(0, "prefix", of: method) {
    case .string(let text): [text]
    case .tuple(let items): items.map(\.text)
    case let other: throw TemplateFailure("\(method) needs a string, not \(other.kind)")
    }
  }

  /// The parts of a text between a separator, at most `limit` cuts where it is not negative.
  private static func pieces(_ text: String, _ separator: String, atMost limit: Int) -> [String] {
    var parts: [String] = []
    var start = text.startIndex
    while limit < 0 || parts.count < limit, let place = text.firstPlace(of: separator, from: start) {
      parts.append(String(decoding: text.utf8[start..<place], as: UTF8.self))
      start = text.utf8.index(place, offsetBy: separator.utf8.count)
    }
    return parts + [String(decoding: text.utf8[start...], as: UTF8.self)]
  }

  private static func split(_ text: String, _ arguments: CallArguments) throws -> [String] {
    let limit = try arguments.integer(1, "maxsplit", of: "split") ?? -1
    if let separator = try arguments.string(0, "sep", of: "split") {
      if separator.isEmpty { throw TemplateFailure("split: the separator is empty") }
      return pieces(text, separator, atMost: limit)
    }
    var parts: [String] = []
    var rest = text.unicodeScalars[...]
    while true {
      while let first = rest.first, first.properties.isWhitespace { rest.removeFirst() }
      if rest.isEmpty { return parts }
      if limit >= 0, parts.count == limit {
        while let last = rest.last, last.properties.isWhitespace { rest.removeLast() }
        return parts + [String(rest)]
      }
      let word = rest.prefix { !$0.properties.isWhitespace }
      parts.append(String(word))
      rest = rest[word.endIndex...]
    }
  }

  private static func splitFromEnd(_ text: String, _ arguments: CallArguments) throws -> [String] {
    let limit = try arguments.integer(1, "maxsplit", of: "rsplit") ?? -1
    guard let separator = try arguments.string(0, "sep", of: "rsplit"), !separator.isEmpty else {
      if limit >= 0 { throw TemplateFailure("rsplit: 'maxsplit' needs a separator") }
      return try split(text, CallArguments())
    }
    let all = pieces(text, separator, atMost: -1)
    guard limit >= 0, all.count > limit + 1 else { return all }
    let head = all.prefix(all.count - limit).joined(separator: separator)
    return [head] + all.suffix(limit)
  }

  private static func lines(_ text: String, keepsEnds: Bool) -> [String] {
    var lines: [String] = []
    var line = String.UnicodeScalarView()
    var afterReturn = false
    for scalar in text.unicodeScalars {
      if afterReturn {
        afterReturn = false
        if scalar == "\n" {
          if keepsEnds { lines[lines.count - 1] += "\n" }
          continue
        }
      }
      switch scalar.value {
      case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029:
        afterReturn = scalar == "\r"
        if keepsEnds { line.append(scalar) }
        lines.append(String(line))
        line = String.UnicodeScalarView()
      default: line.append(scalar)
      }
    }
    return line.isEmpty ? lines : lines + [String(line)]
  }

  private static func replaced(_ text: String, _ old: String, _ new: String, atMost limit: Int) -> String {
    if old.isEmpty {
      var result = ""
      var count = 0
      for scalar in text.unicodeScalars {
        if limit < 0 || count < limit { result += new }
        count += 1
        result.unicodeScalars.append(scalar)
      }
      return limit < 0 || count < limit ? result + new : result
    }
    return pieces(text, old, atMost: limit).joined(separator: new)
  }
}

/// `str.format` with plain fields: {}, {0}, {name}.
private enum FormatMethod {
  static func format(_ text: String, _ arguments: CallArguments) throws -> String {
    var result = ""
    var rest = Substring(text)
    var next = 0
    while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
      result += rest[..<brace]
      let after = rest.index(after: brace)
      if after < rest.endIndex, rest[after] == rest[brace] {
        result.append(rest[brace])
        rest = rest[rest.index(after: after)...]
        continue
      }
      guard rest[brace] == "{", let close = rest[after...].firstIndex(of: "}") else {
        throw TemplateFailure("format: a brace stands alone")
      }
      let field = String(rest[after..<close])
      rest = rest[rest.index(after: close)...]
      let value: TemplateValue?
      if field.isEmpty || Int(field) != nil {
        let index = Int(field) ?? next
        if field.isEmpty { next += 1 }
        value = arguments.positional.indices.contains(index) ? arguments.positional[index] : nil
      } else {
        value = arguments.named.first { $0.name == field }?.value
      }
      guard let value else { throw TemplateFailure("format: there is nothing for the field '{\(field)}'") }
      result += value.text
    }
    return result + rest
  }
}
