/// Filters over sequences.
extension Filters {
  static let sequenceFilters: [String: Filter] = [
    "length": { value, _, _ in try length(value) },
    "count": { value, _, _ in try length(value) },
    "first": { value, _, _ in
      try value.sequence(for: "first").first ?? .undefined("the first item of an empty sequence")
    },
    "last": { value, _, _ in
      try value.sequence(for: "last").last ?? .undefined("the last item of an empty sequence")
    },
    "list": { value, _, _ in .list(try value.sequence(for: "list")) },
    "reverse": { value, _, _ in
      if case .string(let text) = value {
        var reversed = String.UnicodeScalarView()
        reversed.append(contentsOf: text.unicodeScalars.reversed())
        return .string(String(reversed))
      }
      return .list(try value.sequence(for: "reverse").reversed())
    },
    "join": { value, arguments, _ in
      let separator = arguments.optional(0, "d")?.text ?? ""
      var items = try value.sequence(for: "join")
      if let path = arguments.optional(1, "attribute") {
        items = try items.map { try Ordering.value(of: $0, at: path) }
      }
      return .string(items.map(\.text).joined(separator: separator))
    },
    "sum": { value, arguments, _ in
      var items = try value.sequence(for: "sum")
      if let path = arguments.optional(0, "attribute"), case .none = path {
      } else if let path = arguments.optional(0, "attribute") {
        items = try items.map { try Ordering.value(of: $0, at: path) }
      }
      return try items.reduce(arguments.optional(1, "start") ?? .integer(0)) { try Arithmetic.apply(.add, $0, $1) }
    },
    "min": { value, arguments, _ in try extreme(value, arguments, reversed: false) },
    "max": { value, arguments, _ in try extreme(value, arguments, reversed: true) },
    "sort": { value, arguments, _ in
      let path = arguments.optional(2, "attribute")
      let caseSensitive = arguments.flag(1, "case_sensitive", default: false)
      let items = try value.sequence(for: "sort")
      let sorted = try Ordering.sorted(items, reversed: arguments.flag(0, "reverse", default: false)) { item in
        Ordering.key(try path.map { try Ordering.value(of: item, at: $0) } ?? item, caseSensitive: caseSensitive)
      }
      return .list(sorted)
    },
    "unique": { value, arguments, _ in
      let caseSensitive = arguments.flag(0, "case_sensitive", default: false)
      let path = arguments.optional(1, "attribute")
      var seen: [TemplateValue] = []
      var kept: [TemplateValue] = []
      for item in try value.sequence(for: "unique") {
        let key = Ordering.key(
          try path.map { try Ordering.value(of: item, at: $0) } ?? item, caseSensitive: caseSensitive)
        if !seen.contains(where: { $0 == key }) {
          seen.append(key)
          kept.append(item)
        }
      }
      return .list(kept)
    },
    "batch": { value, arguments, _ in
      guard let size = try arguments.integer(0, "linecount", of: "batch"), size > 0 else {
        throw TemplateFailure("batch: 'linecount' must be a positive integer")
      }
      let items = try value.sequence(for: "batch")
      return .list(
        stride(from: 0, to: items.count, by: size).map { start in
          var row = Array(items[start..<min(start + size, items.count)])
          if let filler = arguments.optional(1, "fill_with"), row.count < size {
            row += Array(repeating: filler, count: min(size - row.count, 1 << 16))
          }
          return .list(row)
        })
    },
    "slice": { value, arguments, _ in
      guard let count = try arguments.integer(0, "slices", of: "slice"), (1...(1 << 16)).contains(count) else {
        throw TemplateFailure("slice: 'slices' must be a positive integer")
      }
      let items = try value.sequence(for: "slice")
      let (size, longer) = items.count.quotientAndRemainder(dividingBy: count)
      var start = 0
      return .list(
        (0..<count).map { index in
          let end = start + size + (index < longer ? 1 : 0)
          defer { start = end }
          var row = Array(items[start..<end])
          if let filler = arguments.optional(1, "fill_with"), longer > 0, index >= longer { row.append(filler) }
          return .list(row)
        })
    },
    "groupby": { value, arguments, _ in
      let path = try arguments.required(0, "attribute", of: "groupby")
      let caseSensitive = arguments.flag(2, "case_sensitive", default: false)
      func group(_ item: TemplateValue) throws -> TemplateValue {
        let found = try Ordering.value(of: item, at: path)
        return found.isUndefined ? arguments.optional(1, "default") ?? found : found
      }
      func key(_ item: TemplateValue) throws -> TemplateValue {
        Ordering.key(try group(item), caseSensitive: caseSensitive)
      }
      var groups: [(key: TemplateValue, name: TemplateValue, items: [TemplateValue])] = []
      for item in try Ordering.sorted(value.sequence(for: "groupby"), reversed: false, by: key) {
        if let last = groups.last, last.key == (try key(item)) {
          groups[groups.count - 1].items.append(item)
        } else {
          groups.append((try key(item), try group(item), [item]))
        }
      }
      return .list(groups.map { .tuple([$0.name, .list($0.items)]) })
    },
  ]

  private static func length(_ value: TemplateValue) throws -> TemplateValue {
    .integer(try value.sequence(for: "length").count)
  }

  private static func extreme(
    _ value: TemplateValue, _ arguments: CallArguments, reversed: Bool
  ) throws -> TemplateValue {
    let caseSensitive = arguments.flag(0, "case_sensitive", default: false)
    let path = arguments.optional(1, "attribute")
    let sorted = try Ordering.sorted(value.sequence(for: "min and max"), reversed: reversed) { item in
      Ordering.key(try path.map { try Ordering.value(of: item, at: $0) } ?? item, caseSensitive: caseSensitive)
    }
    return sorted.first ?? .undefined("an item of an empty sequence")
  }
}
