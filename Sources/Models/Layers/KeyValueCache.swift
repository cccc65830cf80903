import Kernels

/// What attention keeps of one token in one layer.
package struct KeyValueWidth {
  /// Floats of the keys.
  package let keys: Int
  /// Floats of the values; 0 where they are the first channels of the keys.
  package let values: Int

  package var bytes: Int { (keys + values) * MemoryLayout<Float>.stride }
}

/// The keys and values of every layer for the tokens that sampling has seen: one arena of rows a layer, in pages that
/// the sampler hands out.
package final class KeyValueCache {
  /// Rows of a page.
  package static let pageRows = 32

  package let width: KeyValueWidth
  private var keys: [Buffer]
  private var values: [Buffer]
  private var free: [Int32] = []
  private var pages = 0

  package init(layers: Int, width: KeyValueWidth) {
    self.width = width
    keys = (0..<layers).map { _ in Buffer(bytes: 0) }
    values = (0..<layers).map { _ in Buffer(bytes: 0) }
  }

  /// Takes a free page; returns its first row.
  package func takePage() -> Int32 {
    if free.isEmpty { grow() }
    return free.removeLast()
  }

  package func giveBack(page row: Int32) {
    free.append(row)
  }

  private func grow() {
    let larger = max(pages * 2, 8)
    let rowBytes = larger * Self.pageRows * MemoryLayout<Float>.stride
    for buffer in keys { buffer.grow(toBytes: rowBytes * width.keys) }
    for buffer in values { buffer.grow(toBytes: rowBytes * width.values) }
    // Ascending rows first: removeLast takes from the end.
    for page in (pages..<larger).reversed() { free.append(Int32(page * Self.pageRows)) }
    pages = larger
  }

  private var rows: Int { pages * Self.pageRows }
  func keys(layer: Int) -> Matrix { Matrix(start: keys[layer].floats, rows: rows, columns: width.keys) }
  func values(layer: Int) -> Matrix { Matrix(start: values[layer].floats, rows: rows, columns: width.values) }

  /// Copies the keys and values of a batch's rows to where its segments say they live; v is nil where the width has no
  /// values.
  func store(_ k: Matrix, _ v: Matrix?, of batch: TokenBatch, layer: Int) {
    placeRows(k, of: batch.segments, into: keys(layer: layer))
    if let v { placeRows(v, of: batch.segments, into: values(layer: layer)) }
  }
}
