import Values

extension MergeTable {
  /// "merges" of a tokenizer.json's model: pairs of tokens in the order of their ranks, as "a b" or ["a", "b"].
  init(_ description: StageDescription, _ vocabulary: Vocabulary, _ affixes: WordAffixes?) throws(GRAOError) {
    let path = "\(description.path).merges"
    guard let lines = description.value("merges")?.array else { throw GRAOError("\(path): expected an array") }
    self.init(capacity: lines.count)
    var pair = TokenPair()
    for (index, line) in lines.enumerated() {
      if let text = line.string, text.utf8.starts(with: "#version".utf8) { continue }
      guard pair.read(line) else {
        throw GRAOError("\(path)[\(index)]: expected two tokens, as \"a b\" or [\"a\", \"b\"]")
      }
      func id(_ token: some Collection<UInt8>) throws(GRAOError) -> Int32 {
        if let id = token.withContiguousStorageIfAvailable({ vocabulary.id(of: $0) }) ?? nil { return id }
        throw GRAOError("\(path)[\(index)]: '\(String(decoding: token, as: UTF8.self))' is not in the vocabulary")
      }
      let left = try id(pair.left)
      let right = try id(pair.right)
      guard let affixes else {
        append(left, right, result: try id(pair.joined))
        continue
      }
      let added = affixes.withoutPrefix(String(decoding: pair.right, as: UTF8.self)[...])
      append(left, right, result: try id(pair.left + added.utf8))
    }
  }
}

/// The two tokens of one line, one after the other in storage that the next line uses again.
private struct TokenPair {
  private(set) var joined: [UInt8] = []
  private var middle = 0

  var left: ArraySlice<UInt8> { joined[..<middle] }
  var right: ArraySlice<UInt8> { joined[middle...] }

  /// False where the line is no pair.
  mutating func read(_ line: Value) -> Bool {
    joined.removeAll(keepingCapacity: true)
    if var text = line.string {
      let space = UInt8(ascii: " ")
      return text.withUTF8 { bytes in
        guard let position = bytes.firstIndex(of: space), !bytes[(position + 1)...].contains(space) else {
          return false
        }
        joined += bytes[..<position]
        joined += bytes[(position + 1)...]
        middle = position
        return true
      }
    }
    guard let tokens = line.array, tokens.count == 2, let left = tokens[0].string, let right = tokens[1].string else {
      return false
    }
    joined += left.utf8
    middle = joined.count
    joined += right.utf8
    return true
  }
}
