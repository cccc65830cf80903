import Kernels
import Models

/// The key-value rows of one sequence, or of a prompt that several share: pages of the cache, as spans in order.
struct PagedRows {
  /// Its own, without those of a prompt before it.
  private var pages: [Int32] = []
  /// The prompt's, then its own.
  private(set) var spans: [Span]
  /// Its own.
  private var count = 0

  /// - Parameter spans: of a prompt before it.
  init(after spans: [Span] = []) {
    self.spans = spans
  }

  /// Takes rows for up to `wanted` more tokens that follow each other in memory; returns the first row and how many.
  mutating func extend(by wanted: Int, in cache: KeyValueCache) -> (row: Int, rows: Int) {
    let used = count % KeyValueCache.pageRows
    if used == 0 { pages.append(cache.takePage()) }
    let row = Int(pages[pages.count - 1]) + used
    let rows = min(wanted, KeyValueCache.pageRows - used)
    if let last = spans.last, Int(last.row + last.rows) == row {
      spans[spans.count - 1].rows += Int32(rows)
    } else {
      spans.append(Span(row: Int32(row), rows: Int32(rows)))
    }
    count += rows
    return (row, rows)
  }

  func giveBack(to cache: KeyValueCache) {
    for page in pages { cache.giveBack(page: page) }
  }
}
