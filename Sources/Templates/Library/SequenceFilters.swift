/// Filters of whole sequences.
extension Filter {
  static let sequenceFilters: [String: Body] = [
    "length": length, "count": length,
    "list": taking("list", []) { (value, _, interpreter) throws(Failure) in try .list(interpreter.elements(value)) },
    "first": taking("first", []) { (value, _, interpreter) throws(Failure) in
      let first =
        if case .iterator(let iterator) = value { iterator.next() } else { try interpreter.elements(value).first }
      return first ?? .undefined("No first item, sequence was empty.")
    },
    "last": taking("last", []) { (value, _, interpreter) throws(Failure) in
      try reversed(value, interpreter).first ?? .undefined("No last item, sequence was empty.")
    },
    "random": taking("random", []) { (value, _, interpreter) throws(Failure) in
      if case .undefined = value { return .undefined("No random item, sequence was empty.") }
      let elements = try interpreter.elements(value)
      // A template gives the same text each time.
      guard elements.count < 2 else {
        throw Failure("random: a choice among several is not supported in chat templates")
      }
      return elements.first ?? .undefined("No random item, sequence was empty.")
    },
    "reverse": taking("reverse", []) { (value, _, interpreter) throws(Failure) in
      if case .string(let text) = value { return .string(Text(scalars: text.scalars.reversed())) }
      if case .iterator = value { return try .list(interpreter.elements(value).reversed()) }
      if case .undefined = value { return try .list([]) }
      return try .iterator(interpreter.elements(value).reversed())
    },
    "join": taking("join", ["d", "attribute"]) { (value, arguments, interpreter) throws(Failure) in
      let path = AttributePath(arguments[1])
      let separator = try arguments[0].map { (separator) throws(Failure) in try interpreter.text(separator) } ?? ""
      let texts = try interpreter.elements(value).map { (element) throws(Failure) in
        try interpreter.text(path.value(in: element, interpreter))
      }
      return .string(try Methods.joined(texts, by: separator, interpreter))
    },
    "items": taking("items", []) { (value, _, interpreter) throws(Failure) in
      switch value {
      case .undefined: return try .iterator([])
      case .dictionary(let dictionary):
        return try .iterator(dictionary.pairs.map { (pair) throws(Failure) in try .tuple([pair.key, pair.value]) })
      default: throw Failure("Can only get item pairs from a mapping.")
      }
    },
    "dictsort": taking(
      "dictsort", ["case_sensitive", "by", "reverse"]
    ) { (value, arguments, interpreter) throws(Failure) in
      let by = try arguments[1].text("dictsort: by", default: "key")
      guard by == "key" || by == "value" else { throw Failure("dictsort: by must be 'key' or 'value'") }
      if case .undefined(let reason) = value { throw Failure(reason) }
      guard case .dictionary(let dictionary) = value else {
        throw Failure("dictsort: '\(value.type)' is not a mapping")
      }
      let isSensitive = arguments[0].isTrue(default: false)
      let sorted = try Sorting.sorted(
        dictionary.pairs,
        by: { (pair) throws(Failure) in
          try folded(by == "key" ? pair.key : pair.value, isSensitive: isSensitive, interpreter)
        },
        isReversed: arguments[2].isTrue(default: false), interpreter)
      return try .list(sorted.map { (pair) throws(Failure) in try .tuple([pair.key, pair.value]) })
    },
    "sort": taking(
      "sort", ["reverse", "case_sensitive", "attribute"]
    ) { (value, arguments, interpreter) throws(Failure) in
      let key = sortKey(arguments[2], isSensitive: arguments[1].isTrue(default: false), interpreter)
      let isReversed = try arguments[0].integer("sort: reverse", default: 0) != 0
      return try .list(Sorting.sorted(interpreter.elements(value), by: key, isReversed: isReversed, interpreter))
    },
    "unique": taking("unique", ["case_sensitive", "attribute"]) { (value, arguments, interpreter) throws(Failure) in
      let isSensitive = arguments[0].isTrue(default: false)
      let path = AttributePath(arguments[1])
      var seen: Set<Object> = []
      let unique = try interpreter.elements(value).filtered { (element) throws(Failure) in
        let key = try folded(path.value(in: element, interpreter), isSensitive: isSensitive, interpreter)
        guard key.isHashable else { throw Failure("unhashable type: '\(key.type)'") }
        return seen.insert(key).inserted
      }
      return try .iterator(unique)
    },
    "min": taking("min", ["case_sensitive", "attribute"]) { (value, arguments, interpreter) throws(Failure) in
      try extreme(value, arguments, interpreter) { (candidate, best) throws(Failure) in
        try interpreter.isLess(candidate, best)
      }
    },
    "max": taking("max", ["case_sensitive", "attribute"]) { (value, arguments, interpreter) throws(Failure) in
      try extreme(value, arguments, interpreter) { (candidate, best) throws(Failure) in
        try interpreter.isLess(best, candidate)
      }
    },
    "sum": taking("sum", ["attribute", "start"]) { (value, arguments, interpreter) throws(Failure) in
      let path = AttributePath(arguments[0])
      var sum = arguments[1] ?? .integer(0)
      if case .string = sum { throw Failure("sum() can't sum strings") }
      for element in try interpreter.elements(value) {
        sum = try interpreter.arithmetic(sum, .add, path.value(in: element, interpreter))
      }
      return sum
    },
    "batch": taking("batch", ["linecount", "fill_with"]) { (value, arguments, interpreter) throws(Failure) in
      let size = try arguments[0].integer("batch: linecount")
      var batches: [[Object]] = []
      var batch: [Object] = []
      for element in try interpreter.elements(value) {
        if batch.count == size {
          batches.append(batch)
          batch = []
        }
        batch.append(element)
      }
      if let fill = filler(arguments[1]), !batch.isEmpty, batch.count < size {
        try Elements.check(weight: size, depth: 0)
        try interpreter.charge(size)
        batch += Array(repeating: fill, count: size - batch.count)
      }
      if !batch.isEmpty { batches.append(batch) }
      return try .iterator(batches.map { (batch) throws(Failure) in try .list(batch) })
    },
    "slice": taking("slice", ["slices", "fill_with"]) { (value, arguments, interpreter) throws(Failure) in
      let count = try arguments[0].integer("slice: slices")
      guard count != 0 else { throw Failure("integer division or modulo by zero") }
      try interpreter.charge(max(0, count))
      let elements = try interpreter.elements(value)
      let longer = count > 0 ? elements.count % count : 0
      var slices: [Object] = []
      var start = 0
      for number in 0..<max(0, count) {
        let end = start + elements.count / count + (number < longer ? 1 : 0)
        var slice = Array(elements[start..<end])
        if let fill = filler(arguments[1]), number >= longer { slice.append(fill) }
        slices.append(try .list(slice))
        start = end
      }
      return try .iterator(slices)
    },
    "groupby": taking(
      "groupby", ["attribute", "default", "case_sensitive"]
    ) { (value, arguments, interpreter) throws(Failure) in
      let path = AttributePath(try arguments[0].required("groupby: attribute"))
      let isSensitive = arguments[2].isTrue(default: false)
      func key(_ element: Object) throws(Failure) -> Object {
        try folded(path.value(in: element, default: arguments[1], interpreter), isSensitive: isSensitive, interpreter)
      }
      var groups: [(key: Object, elements: [Object])] = []
      for element in try Sorting.sorted(interpreter.elements(value), by: key, interpreter) {
        let key = try key(element)
        if let last = groups.last, try interpreter.areEqual(last.key, key) {
          groups[groups.count - 1].elements.append(element)
        } else {
          groups.append((key, [element]))
        }
      }
      return try .list(
        groups.map { (group) throws(Failure) in
          // The first element's key, in its own case.
          let grouper = try path.value(in: group.elements[0], default: arguments[1], interpreter)
          return .tuple(try Elements([grouper, .list(group.elements)], names: ["grouper", "list"]))
        })
    },
  ]

  private static let length = taking("length", []) { (value, _, _) throws(Failure) in .integer(try size(of: value)) }

  /// len(object)
  static func size(of object: Object) throws(Failure) -> Int {
    switch object {
    case .undefined: return 0
    case .string(let text): return text.count
    case .list(let elements), .tuple(let elements), .range(let elements, _), .view(let elements, _):
      return elements.array.count
    case .dictionary(let dictionary): return dictionary.count
    case .host(let host):
      guard let loop = host as? Loop else { break }
      return loop.items.count
    default: break
    }
    throw Failure("object of type '\(object.type)' has no len()")
  }

  private static func filler(_ value: Object?) -> Object? {
    if case .some(.none) = value { nil } else { value }
  }

  private static func reversed(_ value: Object, _ interpreter: Interpreter) throws(Failure) -> [Object] {
    if case .iterator = value { throw Failure("'generator' object is not reversible") }
    return try interpreter.elements(value).reversed()
  }

  /// Lower case where case does not count; what is not a string is as it is.
  private static func folded(
    _ object: Object, isSensitive: Bool, _ interpreter: Interpreter
  ) throws(Failure) -> Object {
    try interpreter.charge(object.weight)
    guard !isSensitive, case .string(let text) = object else { return object }
    return .string(text.lowercased)
  }

  /// What sorting looks at: a list of the attributes that commas part in `attribute`.
  private static func sortKey(
    _ attribute: Object?, isSensitive: Bool, _ interpreter: Interpreter
  ) -> (Object) throws(Failure) -> Object {
    let paths =
      attribute?.text.map { $0.split(by: ",").map { AttributePath(.string($0)) } } ?? [AttributePath(attribute)]
    return { (element) throws(Failure) in
      try .list(
        paths.map { (path) throws(Failure) in
          try folded(path.value(in: element, interpreter), isSensitive: isSensitive, interpreter)
        })
    }
  }

  private static func extreme(
    _ value: Object, _ arguments: [Object?], _ interpreter: Interpreter,
    _ isBetter: (_ candidate: Object, _ best: Object) throws(Failure) -> Bool
  ) throws(Failure) -> Object {
    let isSensitive = arguments[0].isTrue(default: false)
    let path = AttributePath(arguments[1])
    var best: (element: Object, key: Object)?
    for element in try interpreter.elements(value) {
      let key = try folded(path.value(in: element, interpreter), isSensitive: isSensitive, interpreter)
      if let current = best {
        if try isBetter(key, current.key) { best = (element, key) }
      } else {
        best = (element, key)
      }
    }
    return best?.element ?? .undefined("No aggregated item, sequence was empty.")
  }
}
