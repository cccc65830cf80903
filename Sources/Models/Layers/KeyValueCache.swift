import Kernels

/// The keys and values of every layer for the tokens that sampling has seen: one arena of rows a layer, in pages that
/// the sampler hands out. A row takes 2 · layers · width floats.
package final class KeyValueCache {
  /// Rows of a page.
  package static let pageRows = 32

  package let width: Int
  private var keys: [Buffer]
  private var values: [Buffer]
  private var free: [Int32] = []
  private var pages = 0

  /// - Parameter width: floats of a row's keys (and of its values) in one layer: key-value heads · head size.
  package init(layers: Int, width: Int) {
    self.width = width
    keys = (0..<layers).map { _ in Buffer(bytes: 0) }
    values = (0..<layers).map { _ in Buffer(bytes: 0) }
  }

  /// Bytes of one token's keys and values in all layers.
  package var bytesPerRow: Int { 2 * keys.count * width * MemoryLayout<Float>.stride }

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
    let bytes = larger * Self.pageRows * width * MemoryLayout<Float>.stride
    for buffer in keys { buffer.grow(toBytes: bytes) }
    for buffer in values { buffer.grow(toBytes: bytes) }
    // Ascending rows first: removeLast takes from the end.
    for page in (pages..<larger).reversed() { free.append(Int32(page * Self.pageRows)) }
    pages = larger
  }

  private var rows: Int { pages * Self.pageRows }
  func keys(layer: Int) -> Matrix { Matrix(start: keys[layer].floats, rows: rows, columns: width) }
  func values(layer: Int) -> Matrix { Matrix(start: values[layer].floats, rows: rows, columns: width) }

  /// Copies the keys and values of a batch's rows to where its segments say they live.
  func store(_ k: Matrix, _ v: Matrix, of batch: TokenBatch, layer: Int) {
    let (keys, values) = (keys(layer: layer), values(layer: layer))
    for segment in batch.segments {
      let (from, to, count) = (Int(segment.row) * width, Int(segment.kv) * width, Int(segment.rows) * width)
      (keys.start + to).update(from: k.start + from, count: count)
      (values.start + to).update(from: v.start + from, count: count)
    }
  }
}
