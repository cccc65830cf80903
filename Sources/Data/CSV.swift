import Values

/// Comma-separated values as RFC 4180 has them: a header of distinct names, lines ended by LF or CRLF, fields that hold
/// commas, quotes (doubled) or line ends in double quotes. Blank lines are skipped.
enum CSV {
  static func rows(_ bytes: [UInt8], source: String) throws(GRAOError) -> [Table] {
    var reader = Reader(bytes: bytes, source: source)
    guard let header = try reader.record() else { return [] }
    for (index, name) in header.enumerated() {
      guard !name.isEmpty else { throw GRAOError("\(source): line 1: column \(index + 1) has no name") }
      guard !header[..<index].contains(name) else {
        throw GRAOError("\(source): line 1: two columns are named \"\(name)\"")
      }
    }
    var rows: [Table] = []
    while true {
      guard let fields = try reader.record() else { return rows }
      guard fields.count == header.count else {
        throw GRAOError(
          "\(source): line \(reader.recordLine): \(fields.count) fields, but the header has \(header.count)")
      }
      rows.append(Table(zip(header, fields.map { .string($0) })))
    }
  }

  private struct Reader {
    let bytes: [UInt8]
    let source: String
    var position = 0
    var line = 1
    /// The line on which the last record began.
    var recordLine = 1

    init(bytes: [UInt8], source: String) {
      self.bytes = bytes
      self.source = source
      if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// The fields of the next record that is not blank, nil at the end.
    mutating func record() throws(GRAOError) -> [String]? {
      while takeLineEnd() {}
      guard position < bytes.count else { return nil }
      recordLine = line
      var fields: [String] = []
      while true {
        fields.append(try field())
        if position == bytes.count || takeLineEnd() { return fields }
        guard bytes[position] == UInt8(ascii: ",") else {
          throw failure("expected ',' or the end of the line after a quoted field")
        }
        position += 1
      }
    }

    mutating func takeLineEnd() -> Bool {
      guard position < bytes.count else { return false }
      if bytes[position] == 0x0D, position + 1 < bytes.count, bytes[position + 1] == 0x0A {
        position += 2
      } else if bytes[position] == 0x0A {
        position += 1
      } else {
        return false
      }
      line += 1
      return true
    }

    mutating func field() throws(GRAOError) -> String {
      if position < bytes.count, bytes[position] == UInt8(ascii: "\"") { return try quoted() }
      let start = position
      while position < bytes.count {
        switch bytes[position] {
        case UInt8(ascii: ","), 0x0A: return try text(bytes[start..<position])
        case 0x0D where position + 1 < bytes.count && bytes[position + 1] == 0x0A:
          return try text(bytes[start..<position])
        case UInt8(ascii: "\""): throw failure("a quote inside a field that does not start with one")
        default: position += 1
        }
      }
      return try text(bytes[start..<position])
    }

    mutating func quoted() throws(GRAOError) -> String {
      let opening = line
      position += 1
      var content: [UInt8] = []
      while position < bytes.count {
        let byte = bytes[position]
        position += 1
        if byte == UInt8(ascii: "\"") {
          guard position < bytes.count, bytes[position] == byte else { return try text(content[...]) }
          position += 1
        }
        if byte == 0x0A { line += 1 }
        content.append(byte)
      }
      throw GRAOError("\(source): line \(opening): a quoted field without its closing quote")
    }

    func text(_ content: ArraySlice<UInt8>) throws(GRAOError) -> String {
      guard let text = String(validating: content, as: UTF8.self) else { throw failure("text that is not UTF-8") }
      return text
    }

    func failure(_ what: String) -> GRAOError { GRAOError("\(source): line \(line): \(what)") }
  }
}
