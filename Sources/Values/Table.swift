/// String keys and their values, in the order in which the keys were first set. Keys are told apart by their bytes:
/// "é" as one code point and as two are different keys, as in JSON and Lua, though Swift calls the strings equal.
public struct Table: Sequence {
  /// In the order in which they were first set.
  public private(set) var keys: [String] = []
  /// The values of `keys`.
  private var values: [Value] = []
  /// Where a key is in `keys`; empty for a few keys, which are looked through.
  private var positions: [ExactString: Int] = [:]

  private static let few = 8

  /// Empty.
  public init() {}

  /// Empty, with room for so many keys.
  public init(capacity: Int) {
    keys.reserveCapacity(capacity)
    values.reserveCapacity(capacity)
  }

  /// The last of equal keys counts, at the place of the first.
  public init(_ pairs: some Sequence<(String, Value)>) {
    for (key, value) in pairs { self[key] = value }
  }

  /// The number of keys.
  public var count: Int { keys.count }
  public var isEmpty: Bool { keys.isEmpty }

  /// The value of a key, nil where there is none; setting nil takes the key out.
  public subscript(key: String) -> Value? {
    get { position(of: key).map { values[$0] } }
    set {
      switch (position(of: key), newValue) {
      case (let position?, let value?): values[position] = value
      case (nil, let value?):
        keys.append(key)
        values.append(value)
        if count > Self.few { note(from: positions.isEmpty ? 0 : count - 1) }
      case (let position?, nil):
        keys.remove(at: position)
        values.remove(at: position)
        positions = [:]
        if count > Self.few { note(from: 0) }
      case (nil, nil): break
      }
    }
  }

  private func position(of key: String) -> Int? {
    if positions.isEmpty { return keys.firstIndex { ExactString($0) == ExactString(key) } }
    return positions[ExactString(key)]
  }

  private mutating func note(from first: Int) {
    for position in first..<count { positions[ExactString(keys[position])] = position }
  }

  /// Calls `body` with each pair, in order: less than a loop costs.
  public func forEachPair<Failure: Error>(
    _ body: (_ key: String, _ value: Value) throws(Failure) -> Void
  ) throws(Failure) {
    for place in keys.indices { try body(keys[place], values[place]) }
  }

  public func makeIterator() -> Iterator { Iterator(pairs: zip(keys, values).makeIterator()) }

  /// The pairs, in order.
  public struct Iterator: IteratorProtocol {
    fileprivate var pairs: Zip2Sequence<[String], [Value]>.Iterator

    public mutating func next() -> (key: String, value: Value)? { pairs.next().map { (key: $0, value: $1) } }
  }
}

/// A string that equals another where their UTF-8 bytes are the same.
struct ExactString: Hashable {
  let text: String
  init(_ text: String) { self.text = text }

  static func == (left: Self, right: Self) -> Bool {
    left.text.utf8.count == right.text.utf8.count && left.text.utf8.elementsEqual(right.text.utf8)
  }

  func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}

extension Table: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, Value)...) { self.init(elements) }
}
