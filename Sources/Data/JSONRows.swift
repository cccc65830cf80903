import Values

/// Rows out of JSON text.
enum JSONRows {
  /// One object a line; blank lines are skipped.
  static func readLines(_ bytes: [UInt8], source: String) throws(GRAOError) -> [Table] {
    var rows: [Table] = []
    var line = 0
    var start = 0
    while start < bytes.count {
      line += 1
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      let text = bytes[start..<end]
      start = end + 1
      if text.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
      let value = try JSON.parse(text, source: source, line: line)
      guard case .table(let row) = value else {
        throw GRAOError("\(source): line \(line): a row must be an object, not \(value.kind)")
      }
      rows.append(row)
    }
    return rows
  }

  /// An array of objects, or an object with such an array as `data`.
  static func readDocument(_ bytes: [UInt8], source: String) throws(GRAOError) -> [Table] {
    let document = try JSON.parse(bytes, source: source)
    guard let values = document.array ?? document["data"]?.array else {
      throw GRAOError("\(source): expected an array of objects, or an object with such an array as \"data\"")
    }
    var rows: [Table] = []
    rows.reserveCapacity(values.count)
    for value in values {
      guard case .table(let row) = value else {
        throw GRAOError("\(source): row \(rows.count + 1) must be an object, not \(value.kind)")
      }
      rows.append(row)
    }
    return rows
  }
}
