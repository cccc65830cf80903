import Foundation

/// The filters of Jinja that make sense without HTML, and transformers' tojson.
enum Filters {
  typealias Filter = @Sendable (TemplateValue, CallArguments, Renderer) throws -> TemplateValue

  static func exists(_ name: String) -> Bool { all[name] != nil }

  static func apply(
    _ name: String, to value: TemplateValue, _ arguments: CallArguments, _ renderer: Renderer
  ) throws -> TemplateValue {
    guard let filter = all[name] else { throw TemplateFailure("there is no filter '\(name)'") }
    return try filter(value, arguments, renderer)
  }

  private static let all: [String: Filter] =
    textFilters
    .merging(sequenceFilters) { $1 }.merging(valueFilters) { $1 }.merging(choosingFilters) { $1 }

  /// A string method as a filter: what is no string is printed first.
  private static func method(_ name: String) -> Filter {
    { value, arguments, renderer in
      guard let bound = Methods.bound(name, to: .string(value.text)) else {
        throw TemplateFailure("there is no filter '\(name)'")
      }
      return try bound.body(renderer, arguments)
    }
  }

  private static let textFilters: [String: Filter] = [
    "upper": method("upper"), "lower": method("lower"), "capitalize": method("capitalize"), "title": method("title"),
    "trim": method("strip"),
    "string": { value, _, _ in .string(value.text) },
    "safe": { value, _, _ in .string(value.text) },
    "replace": { value, arguments, renderer in
      let text = value.text
      guard let bound = Methods.bound("replace", to: .string(text)) else { return value }
      var given = arguments
      given.positional = arguments.positional.enumerated().map { $0 < 2 ? .string($1.text) : $1 }
      return try bound.body(renderer, given)
    },
    "indent": { value, arguments, _ in
      let width = arguments.optional(0, "width") ?? .integer(4)
      let prefix: String
      if case .string(let text) = width {
        prefix = text
      } else {
        guard let count = width.asInteger, count < 10_000 else {
          throw TemplateFailure("indent: 'width' must be an integer")
        }
        prefix = String(repeating: " ", count: max(count, 0))
      }
      let first = arguments.flag(1, "first", default: false)
      let blank = arguments.flag(2, "blank", default: false)
      let lines = value.text.split(separator: "\n", omittingEmptySubsequences: false)
      let indented = lines.enumerated().map { index, line in
        index == 0 ? (first ? prefix : "") + line : (line.isEmpty && !blank ? "" : prefix) + line
      }
      return .string(indented.joined(separator: "\n"))
    },
    "center": { value, arguments, _ in
      let width = try arguments.integer(0, "width", of: "center") ?? 80
      let text = value.text
      let room = max(min(width, 1 << 16) - text.unicodeScalars.count, 0)
      // Python sets the odd space to the left where width is odd.
      let left = room / 2 + (room & width & 1)
      return .string(String(repeating: " ", count: left) + text + String(repeating: " ", count: room - left))
    },
    "wordcount": { value, _, _ in .integer(value.text.split(whereSeparator: \.isWhitespace).count) },
    "format": { value, arguments, _ in .string(try Formatting.format(value.text, .tuple(arguments.positional))) },
    "escape": { value, _, _ in .string(escaped(value.text)) },
    "e": { value, _, _ in .string(escaped(value.text)) },
    "urlencode": { value, _, _ in
      let kept = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~/")
      return .string(value.text.addingPercentEncoding(withAllowedCharacters: kept) ?? "")
    },
    "tojson": { value, arguments, _ in .string(try json(value, arguments)) },
  ]

  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&#34;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func json(_ value: TemplateValue, _ arguments: CallArguments) throws -> String {
    var printer = JSONPrinter()
    printer.ensuresASCII = arguments.flag(0, "ensure_ascii", default: false)
    switch arguments.optional(1, "indent") {
    case nil, .some(.none): break
    case .some(.string(let indent)): printer.indent = indent
    case .some(let width):
      guard let width = width.asInteger, width < 1000 else {
        throw TemplateFailure("tojson: 'indent' must be an integer")
      }
      printer.indent = String(repeating: " ", count: max(width, 0))
    }
    if printer.indent != nil { printer.itemSeparator = "," }
    if let separators = arguments.optional(2, "separators"), let pair = separators.items, pair.count == 2 {
      (printer.itemSeparator, printer.keySeparator) = (pair[0].text, pair[1].text)
    }
    printer.sortsKeys = arguments.flag(3, "sort_keys", default: false)
    return try printer.print(value)
  }

  private static let valueFilters: [String: Filter] = [
    "default": { value, arguments, _ in fallback(value, arguments) },
    "d": { value, arguments, _ in fallback(value, arguments) },
    "abs": { value, _, _ in
      if let integer = value.asInteger { return .integer(Int(clamping: integer.magnitude)) }
      guard let number = value.asNumber else { throw TemplateFailure("abs needs a number, not \(value.kind)") }
      return .number(number.magnitude)
    },
    "int": { value, arguments, _ in
      let fallback = arguments.optional(0, "default") ?? .integer(0)
      if let integer = value.asInteger { return .integer(integer) }
      if case .string(let text) = value {
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        let base = try arguments.integer(1, "base", of: "int") ?? 10
        guard (2...36).contains(base) else { throw TemplateFailure("int: 'base' must be 2 to 36") }
        if let integer = Int(trimmed, radix: base) { return .integer(integer) }
        return Double(trimmed).flatMap { Int(exactly: $0.rounded(.towardZero)) }.map { .integer($0) } ?? fallback
      }
      return value.asNumber.flatMap { Int(exactly: $0.rounded(.towardZero)) }.map { .integer($0) } ?? fallback
    },
    "float": { value, arguments, _ in
      if let number = value.asNumber { return .number(number) }
      if case .string(let text) = value, let number = Double(text.trimmingCharacters(in: .whitespacesAndNewlines)) {
        return .number(number)
      }
      return arguments.optional(0, "default") ?? .number(0)
    },
    "round": { value, arguments, _ in
      guard let number = value.asNumber else { throw TemplateFailure("round needs a number, not \(value.kind)") }
      let precision = try arguments.integer(0, "precision", of: "round") ?? 0
      let scale = pow(10, Double(precision))
      switch try arguments.string(1, "method", of: "round") ?? "common" {
      case "ceil": return .number((number * scale).rounded(.up) / scale)
      case "floor": return .number((number * scale).rounded(.down) / scale)
      default: return .number(Double(String(format: "%.\(max(min(precision, 300), 0))f", number)) ?? number)
      }
    },
    "attr": { value, arguments, _ in
      try value.attribute(try arguments.required(0, "name", of: "attr").text)
    },
    "items": { value, _, _ in
      if value.isUndefined { return .list([]) }
      guard case .dictionary(let dictionary) = value else {
        throw TemplateFailure("items needs a mapping, not \(value.kind)")
      }
      return .list(dictionary.entries.map { .tuple([$0.key, $0.value]) })
    },
    "dictsort": { value, arguments, _ in
      guard case .dictionary(let dictionary) = value else {
        throw TemplateFailure("dictsort needs a mapping, not \(value.kind)")
      }
      let caseSensitive = arguments.flag(0, "case_sensitive", default: false)
      let byValue = try arguments.string(1, "by", of: "dictsort") == "value"
      let pairs = dictionary.entries.map { TemplateValue.tuple([$0.key, $0.value]) }
      let sorted = try Ordering.sorted(pairs, reversed: arguments.flag(2, "reverse", default: false)) { pair in
        Ordering.key(pair.items?[byValue ? 1 : 0] ?? .none, caseSensitive: caseSensitive)
      }
      return .list(sorted)
    },
  ]

  private static func fallback(_ value: TemplateValue, _ arguments: CallArguments) -> TemplateValue {
    let isMissing = value.isUndefined || arguments.flag(1, "boolean", default: false) && !value.isTrue
    return isMissing ? arguments.optional(0, "default_value") ?? .string("") : value
  }
}
