import Values

/// Rows, each a table of columns. Never empty.
public final class Dataset {
  /// In the order of the file.
  public let rows: [Table]
  /// Where the rows come from, for messages: a file's path, or "dataset" for rows of a script.
  public let source: String

  /// - Throws: where there are no rows.
  public init(rows: [Table], source: String) throws(GRAOError) {
    guard !rows.isEmpty else { throw GRAOError("\(source): an empty dataset") }
    self.rows = rows
    self.source = source
  }

  /// Reads a .jsonl file (an object a line), a .json file (an array of objects, or an object whose `data` is one) or a
  /// .csv file (RFC 4180 with a header; every cell is a string, since numbers are not read from strings).
  public convenience init(path: String) throws(GRAOError) {
    let lowercased = path.lowercased()
    let read: ([UInt8], String) throws(GRAOError) -> [Table]
    if lowercased.hasSuffix(".jsonl") {
      read = JSONRows.readLines
    } else if lowercased.hasSuffix(".json") {
      read = JSONRows.readDocument
    } else if lowercased.hasSuffix(".csv") {
      read = CSV.rows
    } else {
      throw GRAOError("\(path): a dataset's file name must end in .jsonl, .json or .csv")
    }
    try self.init(rows: read(File.bytes(at: path), path), source: path)
  }

  /// Rows.
  public var count: Int { rows.count }

  /// The name of a row in messages: "rows.jsonl: row 3" for index 2.
  public func name(ofRow index: Int) -> String { "\(source): row \(index + 1)" }

  /// The rows that `keep` accepts, in order; none left is an error.
  public func filter(_ keep: (Table) throws -> Bool) throws -> Dataset {
    let kept = try rows.filter(keep)
    guard !kept.isEmpty else { throw GRAOError("\(source): the filter keeps no row") }
    return try Dataset(rows: kept, source: source)
  }

  /// The rows that `change` makes of these, in order.
  public func map(_ change: (Table) throws -> Table) throws -> Dataset {
    try Dataset(rows: rows.map(change), source: source)
  }

  /// Two datasets with each row in one of them: a seeded shuffle cut after the nearest whole number of rows to
  /// `fraction` of them. A part without rows is an error.
  public func split(fraction: Double, seed: UInt64) throws(GRAOError) -> (first: Dataset, second: Dataset) {
    guard fraction > 0, fraction < 1 else {
      throw GRAOError("\(source): split: the fraction must be between 0 and 1, not \(fraction)")
    }
    let cut = Int((fraction * Double(count)).rounded())
    guard cut > 0, cut < count else {
      throw GRAOError("\(source): split: a fraction \(fraction) of \(count) rows leaves one part empty")
    }
    var order = Array(rows.indices)
    var stream = RandomStream(seed: seed)
    stream.shuffle(&order)
    return (
      try Dataset(rows: order[..<cut].map { rows[$0] }, source: source),
      try Dataset(rows: order[cut...].map { rows[$0] }, source: source)
    )
  }
}
