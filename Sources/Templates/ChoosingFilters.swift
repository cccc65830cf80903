/// map, and the filters that keep or leave out items.
extension Filters {
  static let choosingFilters: [String: Filter] = [
    "map": { value, arguments, renderer in
      let items = try value.sequence(for: "map")
      if let path = arguments.named.first(where: { $0.name == "attribute" })?.value {
        let fallback = arguments.named.first { $0.name == "default" }?.value
        return .list(
          try items.map { item in
            let found = try Ordering.value(of: item, at: path)
            return found.isUndefined ? fallback ?? found : found
          })
      }
      let name = try arguments.required(0, "filter", of: "map").text
      let rest = CallArguments(positional: Array(arguments.positional.dropFirst()), named: arguments.named)
      return .list(try items.map { try apply(name, to: $0, rest, renderer) })
    },
    "select": { value, arguments, _ in try choose(value, arguments, keeps: true) },
    "reject": { value, arguments, _ in try choose(value, arguments, keeps: false) },
    "selectattr": { value, arguments, _ in try choose(value, arguments, keeps: true, byAttribute: true) },
    "rejectattr": { value, arguments, _ in try choose(value, arguments, keeps: false, byAttribute: true) },
  ]

  private static func choose(
    _ value: TemplateValue, _ arguments: CallArguments, keeps: Bool, byAttribute: Bool = false
  ) throws -> TemplateValue {
    var rest = arguments.positional[...]
    let path = byAttribute ? rest.popFirst() : nil
    if byAttribute, path == nil { throw TemplateFailure("selectattr and rejectattr need the name of an attribute") }
    let test = rest.popFirst()?.text
    let given = CallArguments(positional: Array(rest), named: arguments.named)
    return .list(
      try value.sequence(for: "select and reject").filter { item in
        let subject = try path.map { try Ordering.value(of: item, at: $0) } ?? item
        return try (test.map { try Tests.check($0, subject, given) } ?? subject.isTrue) == keeps
      })
  }
}

/// What sorting compares.
enum Ordering {
  /// The attribute at a path like "function.name" or 0.
  static func value(of item: TemplateValue, at path: TemplateValue) throws -> TemplateValue {
    if let index = path.asInteger { return try item.item(.integer(index)) }
    return try path.text.split(separator: ".").reduce(item) { value, part in
      try value.item(Int(part).map { .integer($0) } ?? .string(String(part)))
    }
  }

  static func key(_ value: TemplateValue, caseSensitive: Bool) -> TemplateValue {
    if !caseSensitive, case .string(let text) = value { return .string(text.lowercased()) }
    return value
  }

  /// Stable, in both directions.
  static func sorted(
    _ items: [TemplateValue], reversed: Bool, by key: (TemplateValue) throws -> TemplateValue
  ) throws -> [TemplateValue] {
    let keyed = try items.enumerated().map { (index: $0, key: try key($1), item: $1) }
    return try keyed.sorted { a, b in
      if try reversed ? TemplateValue.isLess(b.key, a.key) : TemplateValue.isLess(a.key, b.key) { return true }
      if try reversed ? TemplateValue.isLess(a.key, b.key) : TemplateValue.isLess(b.key, a.key) { return false }
      return a.index < b.index
    }.map(\.item)
  }
}
