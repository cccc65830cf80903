import Kernels

/// What attention keeps of one token in one layer.
package struct KeyValueWidth {
  /// Floats of the keys.
  package let keys: Int
  /// Floats of the values; 0 where they are the first channels of the keys.
  package let values: Int

  var floats: Int { keys + values }
  package var bytes: Int { floats * MemoryLayout<Float>.stride }
}

/// The keys and values of every layer for the tokens that sampling has seen: rows in pages that the sampler hands out.
package final class KeyValueCache {
  /// Rows of a page.
  package static let pageRows = 32

  package let width: KeyValueWidth
  private let layers: Int
  /// Of each layer the keys of all rows, then the values: one piece of memory, which large pages suit.
  private var memory = Buffer(bytes: 0)
  private var free: [Int32] = []
  private var pages = 0

  package init(layers: Int, width: KeyValueWidth) {
    self.layers = layers
    self.width = width
  }

  /// Takes a free page; returns its first row.
  package func takePage() -> Int32 {
    if free.isEmpty { grow(toPages: max(pages * 2, 8)) }
    return free.removeLast()
  }

  package func giveBack(page row: Int32) {
    free.append(row)
  }

  /// Makes room for so many pages in all. What is not used costs no memory.
  package func grow(toPages wanted: Int) {
    guard wanted > pages else { return }
    let larger = Buffer(bytes: layers * width.bytes * wanted * Self.pageRows)
    let (old, new) = (rows, wanted * Self.pageRows)
    for layer in 0..<layers where old > 0 {
      let (from, to) = (layer * old, layer * new)
      let floats = larger.floats + to * width.floats
      floats.update(from: memory.floats + from * width.floats, count: old * width.keys)
      (floats + new * width.keys).update(
        from: memory.floats + from * width.floats + old * width.keys, count: old * width.values)
    }
    memory = larger
    // Ascending rows first: removeLast takes from the end.
    for page in (pages..<wanted).reversed() { free.append(Int32(page * Self.pageRows)) }
    pages = wanted
  }

  private var rows: Int { pages * Self.pageRows }

  func keys(layer: Int) -> Matrix {
    Matrix(start: memory.floats + layer * rows * width.floats, rows: rows, columns: width.keys)
  }

  func values(layer: Int) -> Matrix {
    Matrix(start: keys(layer: layer).start + rows * width.keys, rows: rows, columns: width.values)
  }

  /// Copies the keys and values of a batch's rows to where its segments say they live; v is nil where the width has no
  /// values.
  func store(_ k: Matrix, _ v: Matrix?, of batch: TokenBatch, layer: Int) {
    placeRows(k, of: batch.segments, into: keys(layer: layer))
    if let v { placeRows(v, of: batch.segments, into: values(layer: layer)) }
  }
}
