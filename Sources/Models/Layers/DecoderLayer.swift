import Kernels

/// One layer of a decoder: attention, then a feed-forward, each with a residual connection around it.
package struct DecoderLayer {
  let attention: Residual
  let feedForward: Residual
  /// The feed-forward itself.
  let body: any FeedForward

  struct Kept {
    let attention: Residual.Kept
    let feedForward: Residual.Kept
  }

  /// x[T, C] → y[T, C].
  /// - Parameter normed: [T, C], to work in.
  func forward(_ x: Matrix, normed: Matrix, into y: Matrix, _ pass: Pass) -> Kept {
    let kept = keep(x, normed: normed, pass)
    feedForward.output(kept.feedForward, into: y, pass)
    return kept
  }

  /// What ``backward(_:_:_:)`` needs.
  func keep(_ x: Matrix, normed: Matrix, _ pass: Pass) -> Kept {
    let x1 = pass.workspace.matrix(x.rows, x.columns)
    let attentionKept = attention.keep(x, normed: normed, pass)
    attention.output(attentionKept, into: x1, pass)
    return Kept(attention: attentionKept, feedForward: feedForward.keep(x1, normed: normed, pass))
  }

  /// What is kept, as matrices of a row for each token. Those of a sparse feed-forward begin with its router's logits.
  func rows(_ kept: Kept, _ pass: Pass) -> [TokenRows] {
    feedForward.rows(kept.feedForward, pass) + attention.rows(kept.attention, pass)
  }

  /// d[T, C], the gradient of y, becomes the gradient of x in place.
  func backward(_ d: Matrix, _ kept: Kept, _ pass: Pass) {
    feedForward.backward(d, kept.feedForward, pass)
    attention.backward(d, kept.attention, pass)
  }

  /// The same by rows that other passes have computed, half a layer's at a time.
  func backward(_ d: Matrix, recalling rows: KeptRows, _ pass: Pass) {
    var rows = rows
    for half in [feedForward, attention] {
      let mark = pass.workspace.mark
      half.backward(d, half.kept(of: &rows, pass), pass)
      pass.workspace.release(to: mark)
    }
  }
}
