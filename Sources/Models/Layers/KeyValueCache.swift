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
/// They begin in a workspace, below what passes take: training takes the same memory later.
package final class KeyValueCache {
  /// Rows of a page.
  package static let pageRows = 32

  package let width: KeyValueWidth
  private let layers: Int
  private let workspace: Workspace
  /// Of each layer the keys of all rows, then the values.
  private var memory: UnsafeMutablePointer<Float>
  /// Where they lie once the workspace's piece was too small.
  private var grown: Buffer?
  /// Past the workspace's piece.
  private var end: Workspace.Mark
  private var free: [Int32] = []
  private var pages = 0

  /// The workspace is this cache's, and the passes' that use it.
  package init(layers: Int, width: KeyValueWidth, in workspace: Workspace) {
    self.layers = layers
    self.width = width
    self.workspace = workspace
    workspace.reset()
    memory = workspace.matrix(0, 0).start
    end = workspace.mark
  }

  /// Gives back what the last pass took. To be called before pages are taken for the next.
  package func startPass() { workspace.release(to: end) }

  /// Takes a free page; returns its first row.
  package func takePage() -> Int32 {
    if free.isEmpty { grow(toPages: max(pages * 2, 8)) }
    return free.removeLast()
  }

  package func giveBack(page row: Int32) {
    free.append(row)
  }

  /// Makes room for so many pages in all, between passes. What is not used costs no memory.
  package func grow(toPages wanted: Int) {
    guard wanted > pages else { return }
    let (old, new) = (rows, wanted * Self.pageRows)
    let count = layers * new * width.floats
    let buffer = pages == 0 ? nil : Buffer(bytes: count * MemoryLayout<Float>.stride)
    let larger = buffer?.floats ?? workspace.matrix(1, count).start
    if buffer == nil { end = workspace.mark }
    for layer in 0..<layers where old > 0 {
      let (from, to) = (memory + layer * old * width.floats, larger + layer * new * width.floats)
      to.update(from: from, count: old * width.keys)
      (to + new * width.keys).update(from: from + old * width.keys, count: old * width.values)
    }
    (memory, grown) = (larger, buffer)
    // Ascending rows first: removeLast takes from the end.
    for page in (pages..<wanted).reversed() { free.append(Int32(page * Self.pageRows)) }
    pages = wanted
  }

  private var rows: Int { pages * Self.pageRows }

  func keys(layer: Int) -> Matrix {
    Matrix(start: memory + layer * rows * width.floats, rows: rows, columns: width.keys)
  }

  func values(layer: Int) -> Matrix {
    Matrix(start: keys(layer: layer).start + rows * width.keys, rows: rows, columns: width.values)
  }

  /// Copies the keys and values of a batch's rows to where its segments say they live; v is nil where the width has no
  /// values.
  func store(_ k: Matrix, _ v: Matrix?, of batch: TokenBatch, layer: Int) {
    let placed =
      [(TokenRows(k), keys(layer: layer))] + (v.map { [(TokenRows($0), values(layer: layer))] } ?? [])
    placeRows(placed, of: batch.segments)
  }
}
