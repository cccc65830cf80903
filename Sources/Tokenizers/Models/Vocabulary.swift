import Values

/// A model's own tokens and their ids, found either way; ids may have gaps.
struct Vocabulary: Sendable {
  /// Ids are below this, in any file: far above real vocabularies, and small enough for tables.
  static let bound = 1 << 24

  private var table: ByteStringTable
  /// Entry of `table` → id.
  private var ids: [Int32]
  /// Id → entry of `table`, -1 for a gap.
  private var entries: [Int32]

  /// - Parameter value: the table "vocab" of a tokenizer.json's model: token → id.
  init(_ value: Value?, path: String) throws(GRAOError) {
    guard let tokens = value?.table else { throw GRAOError("\(path): expected a table of tokens and ids") }
    table = ByteStringTable(capacity: tokens.count)
    ids = []
    ids.reserveCapacity(tokens.count)
    entries = [Int32](repeating: -1, count: tokens.count)
    for (token, value) in tokens {
      guard let id = value.integer, (0..<Self.bound).contains(id) else {
        throw GRAOError("\(path): the id of '\(token)' is not a whole number from 0 to \(Self.bound - 1)")
      }
      var token = token
      let entry = token.withUTF8 { table.insert($0) }
      ids.append(Int32(id))
      if id >= entries.count { entries += repeatElement(-1, count: id + 1 - entries.count) }
      guard entries[id] < 0 else {
        throw GRAOError("\(path): '\(token)' has the id \(id), which another token has too")
      }
      entries[id] = Int32(entry)
    }
    while entries.last == -1 { entries.removeLast() }
  }

  /// - Parameter tokens: every token at its id; one that comes again is found at the last.
  init(_ tokens: [String], path: String) throws(GRAOError) {
    guard tokens.count <= Self.bound else { throw GRAOError("\(path): more than \(Self.bound) tokens") }
    table = ByteStringTable(capacity: tokens.count)
    ids = []
    entries = []
    for (id, token) in tokens.enumerated() {
      var token = token
      let entry = token.withUTF8 { table.insert($0) }
      if entry == ids.count { ids.append(Int32(id)) } else { ids[entry] = Int32(id) }
      entries.append(Int32(entry))
    }
  }

  /// The number of tokens.
  var count: Int { ids.count }

  /// One more than the largest id.
  var idBound: Int { entries.count }

  func id(of token: UnsafeBufferPointer<UInt8>) -> Int32? { table.index(of: token).map { ids[$0] } }

  func id(of token: String) -> Int32? {
    var token = token
    return token.withUTF8 { id(of: $0) }
  }

  /// The token's text as UTF-8, or nil where no token has this id.
  func token(of id: Int32) -> ArraySlice<UInt8>? {
    guard entries.indices.contains(Int(id)), entries[Int(id)] >= 0 else { return nil }
    return table[Int(entries[Int(id)])]
  }
}
