/// Finding and replacing by bytes, which for valid UTF-8 finds code points.
extension Text {
  /// The first byte offset at or after `start` where `needle` begins; an empty needle is at `start`. Linear in the
  /// text's length, whatever the needle (Knuth, Morris, Pratt 1977).
  func find(_ needle: Text, from start: Int = 0) -> Int? {
    let count = needle.bytes.count
    guard count > 0 else { return start }
    guard bytes.count - start >= count else { return nil }
    return bytes.withUnsafeBufferPointer { bytes in
      needle.bytes.withUnsafeBufferPointer { needle in
        // How much of the needle still matches where the byte after its first i + 1 bytes does not.
        var borders = [Int](repeating: 0, count: count)
        var matched = 0
        for index in 1..<count {
          while matched > 0, needle[index] != needle[matched] { matched = borders[matched - 1] }
          if needle[index] == needle[matched] { matched += 1 }
          borders[index] = matched
        }
        matched = 0
        for index in start..<bytes.count {
          while matched > 0, bytes[index] != needle[matched] { matched = borders[matched - 1] }
          if bytes[index] == needle[matched] { matched += 1 }
          if matched == count { return index + 1 - count }
        }
        return nil
      }
    }
  }

  /// The last byte offset where `needle` begins.
  func findLast(_ needle: Text) -> Int? {
    needle.isEmpty ? bytes.count : occurrencesFromEnd(of: needle, limit: 1).first
  }

  func contains(_ needle: Text) -> Bool { find(needle) != nil }
  func hasPrefix(_ prefix: Text) -> Bool { bytes.starts(with: prefix.bytes) }
  func hasSuffix(_ suffix: Text) -> Bool {
    bytes.count >= suffix.bytes.count && bytes[(bytes.count - suffix.bytes.count)...].elementsEqual(suffix.bytes)
  }

  /// Non-overlapping byte offsets of `needle`, which is not empty, `limit` at most.
  func occurrences(of needle: Text, limit: Int = .max) -> [Int] {
    var found: [Int] = []
    var start = 0
    while found.count < limit, let at = find(needle, from: start) {
      found.append(at)
      start = at + needle.bytes.count
    }
    return found
  }

  /// The same from the end, the last one first.
  private func occurrencesFromEnd(of needle: Text, limit: Int) -> [Int] {
    let reversed = Text(bytes: bytes.reversed())
    return reversed.occurrences(of: Text(bytes: needle.bytes.reversed()), limit: limit).map {
      bytes.count - $0 - needle.bytes.count
    }
  }

  /// str.replace; an empty `old` stands before every code point and at the end.
  func replacing(_ old: Text, with new: Text, limit: Int = .max) -> Text {
    var out: [UInt8] = []
    if old.isEmpty {
      var remaining = limit
      for byte in bytes {
        if !Text.continues(byte), remaining > 0 {
          out += new.bytes
          remaining -= 1
        }
        out.append(byte)
      }
      if remaining > 0 { out += new.bytes }
      return Text(bytes: out)
    }
    var start = 0
    for at in occurrences(of: old, limit: limit) {
      out += bytes[start..<at]
      out += new.bytes
      start = at + old.bytes.count
    }
    out += bytes[start...]
    return Text(bytes: out)
  }

  /// str.split by a separator that is not empty.
  func split(by separator: Text, limit: Int = .max) -> [Text] {
    var parts: [Text] = []
    var start = 0
    for at in occurrences(of: separator, limit: limit) {
      parts.append(Text(bytes: bytes[start..<at]))
      start = at + separator.bytes.count
    }
    parts.append(Text(bytes: bytes[start...]))
    return parts
  }

  /// str.rsplit by a separator that is not empty.
  func splitFromEnd(by separator: Text, limit: Int) -> [Text] {
    var parts: [Text] = []
    var end = bytes.count
    for at in occurrencesFromEnd(of: separator, limit: limit) {
      parts.append(Text(bytes: bytes[(at + separator.bytes.count)..<end]))
      end = at
    }
    parts.append(Text(bytes: bytes[..<end]))
    return parts.reversed()
  }

  /// str.split without a separator: words between white space; what is left after `limit` words keeps its spaces,
  /// but for those before it.
  func words(limit: Int = .max) -> [Text] {
    var words: [Text] = []
    var word: [UInt8] = []
    let characters = scalars
    var index = 0
    while index < characters.count {
      if characters[index].isSpace {
        if !word.isEmpty { words.append(Text(bytes: word)) }
        word = []
        index += 1
      } else if word.isEmpty, words.count == limit {
        words.append(Text(scalars: characters[index...]))
        return words
      } else {
        word += Text(scalars: [characters[index]]).bytes
        index += 1
      }
    }
    if !word.isEmpty { words.append(Text(bytes: word)) }
    return words
  }

  /// str.rsplit without a separator.
  func wordsFromEnd(limit: Int) -> [Text] {
    let reversed = Text(scalars: scalars.reversed()).words(limit: limit)
    return reversed.reversed().map { Text(scalars: $0.scalars.reversed()) }
  }

  /// str.splitlines.
  func lines(keepingEnds: Bool = false) -> [Text] {
    var lines: [Text] = []
    var line = Text("")
    let characters = scalars
    var index = 0
    while index < characters.count {
      let scalar = characters[index]
      index += 1
      guard scalar.isLineBreak else {
        line.append(scalar)
        continue
      }
      if keepingEnds { line.append(scalar) }
      if scalar == "\r", index < characters.count, characters[index] == "\n" {
        if keepingEnds { line.append("\n" as Unicode.Scalar) }
        index += 1
      }
      lines.append(line)
      line = ""
    }
    if !line.isEmpty { lines.append(line) }
    return lines
  }

  /// str.strip, of white space or of the code points in `set`.
  func trimmed(_ set: Text? = nil, leading: Bool = true, trailing: Bool = true) -> Text {
    let unwanted = set.map { Set($0.scalars) }
    func drop(_ scalar: Unicode.Scalar) -> Bool { unwanted?.contains(scalar) ?? scalar.isSpace }
    var scalars = Substring(string).unicodeScalars
    if leading { scalars = scalars.drop(while: drop) }
    if trailing { while let last = scalars.last, drop(last) { scalars.removeLast() } }
    return Text(Substring(scalars))
  }
}
