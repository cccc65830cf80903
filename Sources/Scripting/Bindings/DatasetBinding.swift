import GRAO
import Values

/// Datasets as scripts see them.
enum DatasetBinding {
  static var dataset: LuaClass<Dataset> {
    LuaClass<Dataset>("grao.dataset")
      .description { "grao.dataset: \($0.source), \($0.count) rows" }
      .length { $0.count }
      .element { dataset, index in
        index >= 1 && index <= dataset.count ? .table(dataset.rows[index - 1]) : Optional.none
      }
      .method("filter") { dataset, call in
        let keep = try call.function(1)
        return [.object(try dataset.filter { row in try isTrue(keep.call([.table(row)])) })]
      }
      .method("map") { dataset, call in
        let change = try call.function(1)
        let mapped = try dataset.map { row in
          let result = try change.call([.table(row)]).first ?? .null
          guard let table = result.table else {
            throw GRAOError(
              "\(call.name): the function returned \(result.kind), expected a row: a table with named columns")
          }
          return table
        }
        return [.object(mapped)]
      }
      .method("split") { dataset, call in
        let seed = call[2].isNull ? 0 : try call.integer(2)
        let (first, second) = try dataset.split(
          fraction: try call.number(1), seed: UInt64(bitPattern: Int64(seed)))
        return [.object(first), .object(second)]
      }
  }

  /// `grao.dataset(path or rows)`.
  static func make(_ call: LuaCall) throws -> [Value] {
    if let path = call[1].string { return [.object(try Dataset(path: path))] }
    let rows = try call[1].elements("argument 1 of \(call.name)", "a path or an array of rows") { $0.table }
    return [.object(try Dataset(rows: rows, source: "dataset"))]
  }

  private static func isTrue(_ results: [Value]) -> Bool {
    guard let result = results.first else { return false }
    return !result.isNull && result != false
  }
}
