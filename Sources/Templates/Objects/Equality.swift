/// Python's ==: numbers by value whatever their type, containers by content, hosts by identity.
extension Object: Equatable {
  static func == (left: Object, right: Object) -> Bool {
    switch (left, right) {
    case (.undefined, .undefined), (.none, .none): true
    case (.string(let a), .string(let b)): a == b
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)), (.range(let a, _), .range(let b, _)):
      a === b || a.array == b.array
    case (.view(let a, "dict_keys"), .view(let b, "dict_keys")): Set(a.array) == Set(b.array)
    case (.view(let a, "dict_items"), .view(let b, "dict_items")): values(ofItems: a) == values(ofItems: b)
    case (.dictionary(let a), .dictionary(let b)):
      a === b || (a.count == b.count && zip(a.keys, a.values).allSatisfy { b[$0] == $1 })
    case (.iterator(let a), .iterator(let b)): a === b
    case (.host(let a), .host(let b)): a === b
    default:
      if let a = left.integer, let b = right.integer { a == b } else { left.exactlyEquals(right) }
    }
  }

  /// The values of a dictionary's items by their keys: whatever their order, items are equal where these are.
  private static func values(ofItems items: Elements) -> [Object: Object] {
    var values: [Object: Object] = [:]
    for case .tuple(let pair) in items.array { values[pair.array[0]] = pair.array[1] }
    return values
  }

  /// Numbers of which one is a float: equal where the float is exactly the integer.
  private func exactlyEquals(_ other: Object) -> Bool {
    switch (self, other) {
    case (.float(let a), .float(let b)): a == b
    case (.float(let a), _): other.integer.map { Int(exactly: a) == $0 } ?? false
    case (_, .float(let b)): integer.map { Int(exactly: b) == $0 } ?? false
    default: false
    }
  }
}

extension Object: Hashable {
  /// Equal objects have equal hashes: 1, 1.0 and true are one key.
  func hash(into hasher: inout Hasher) {
    switch self {
    case .string(let text): hasher.combine(text)
    case .float(let value):
      if let whole = Int(exactly: value) { hasher.combine(whole) } else { hasher.combine(value) }
    case .boolean, .integer: hasher.combine(integer)
    case .tuple(let elements): hasher.combine(elements.array)
    case .host(let host): hasher.combine(ObjectIdentifier(host))
    case .iterator(let iterator): hasher.combine(ObjectIdentifier(iterator))
    default: break
    }
  }

  /// Whether this can be a key: what cannot change in Python.
  var isHashable: Bool {
    switch self {
    case .list, .dictionary, .view: false
    case .tuple(let elements): elements.array.allSatisfy(\.isHashable)
    default: true
    }
  }
}
