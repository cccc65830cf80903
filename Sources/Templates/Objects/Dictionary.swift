import Values

/// A Python dict: keys in the order in which they were first set.
final class Dictionary {
  let keys: [Object]
  let values: [Object]
  private let index: [Object: Int]
  let weight: Int
  let depth: Int

  var count: Int { keys.count }

  /// A key set twice keeps its first place and its last value.
  /// - Throws: where a key cannot be one, or it is all too large or too deep.
  init(_ pairs: [(key: Object, value: Object)]) throws(Failure) {
    var keys: [Object] = []
    var values: [Object] = []
    var index: [Object: Int] = [:]
    index.reserveCapacity(pairs.count)
    var weight = 1
    var depth = 0
    for (key, value) in pairs {
      guard key.isHashable else { throw Failure("unhashable type: '\(key.type)'") }
      weight += key.weight + value.weight
      depth = max(depth, key.depth, value.depth)
      if let place = index[key] {
        values[place] = value
      } else {
        index[key] = keys.count
        keys.append(key)
        values.append(value)
      }
    }
    self.keys = keys
    self.values = values
    self.index = index
    self.weight = weight
    self.depth = depth + 1
    try Elements.check(weight: weight, depth: self.depth)
  }

  convenience init(_ table: Table) throws(Failure) {
    var pairs: [(key: Object, value: Object)] = []
    for (key, value) in table { pairs.append((.string(key), try Object(value))) }
    try self.init(pairs)
  }

  subscript(key: Object) -> Object? {
    guard key.isHashable, let place = index[key] else { return nil }
    return values[place]
  }

  var pairs: [(key: Object, value: Object)] { Array(zip(keys, values).map { ($0, $1) }) }
}
