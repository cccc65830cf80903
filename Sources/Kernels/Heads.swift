import CKernels

/// Channels of the heads of T tokens, wherever they lie: a view of a ``Matrix``.
package struct Heads {
  let start: UnsafeMutablePointer<Float>
  package let tokens: Int
  package let heads: Int
  let channels: Int
  let strides: gk_strides

  /// Channels `range` of each head of x[T, heads · size]; all of them where nil.
  package init(_ x: Matrix, count heads: Int = 1, channels range: Range<Int>? = nil) {
    let size = x.columns / heads
    start = x.start + (range?.lowerBound ?? 0)
    tokens = x.rows
    self.heads = heads
    channels = range?.count ?? size
    strides = gk_strides(tokens: x.columns, heads: size, channels: 1)
  }

  /// All of x[heads · T, C], head after head: the rows of a grouped product.
  package init(grouped x: Matrix, count heads: Int) {
    start = x.start
    tokens = x.rows / heads
    self.heads = heads
    channels = x.columns
    strides = gk_strides(tokens: x.columns, heads: tokens * x.columns, channels: 1)
  }

  private init(_ heads: Heads, from first: Int, step: Int) {
    start = heads.start + first * heads.strides.channels
    tokens = heads.tokens
    self.heads = heads.heads
    channels = heads.channels / 2
    strides = gk_strides(
      tokens: heads.strides.tokens, heads: heads.strides.heads, channels: step * heads.strides.channels)
  }

  /// The first half of the channels and the second.
  package var halves: (Heads, Heads) { (Heads(self, from: 0, step: 1), Heads(self, from: channels / 2, step: 1)) }
  /// The even channels and the odd ones.
  package var pairs: (Heads, Heads) { (Heads(self, from: 0, step: 2), Heads(self, from: 1, step: 2)) }
}
