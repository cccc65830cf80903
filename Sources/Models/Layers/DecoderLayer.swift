import Kernels

/// One layer of a pre-norm decoder: x₁ = x + attention(norm(x)); y = x₁ + feedForward(norm(x₁)).
package struct DecoderLayer {
  let attentionNorm: RMSNorm
  let attention: Attention
  let feedForwardNorm: RMSNorm
  let feedForward: any FeedForward

  struct Kept {
    let attentionNorm: RMSNorm.Kept
    let attention: Attention.Kept
    let feedForwardNorm: RMSNorm.Kept
    let feedForward: any Record
  }

  /// x[T, C] → y[T, C].
  func forward(_ x: Matrix, into y: Matrix, _ pass: Pass) -> Kept {
    let (normed, attentionNormKept) = attentionNorm.forward(x, pass)
    let (x1, attentionKept) = attention.forward(normed, pass)
    add(x, to: x1)
    let (normed1, feedForwardNormKept) = feedForwardNorm.forward(x1, pass)
    let (out, feedForwardKept) = feedForward.forward(normed1, pass)
    y.start.update(from: x1.start, count: y.count)
    add(out, to: y)
    return Kept(
      attentionNorm: attentionNormKept, attention: attentionKept, feedForwardNorm: feedForwardNormKept,
      feedForward: feedForwardKept)
  }

  /// d[T, C], the gradient of y, becomes the gradient of x in place.
  func backward(_ d: Matrix, _ kept: Kept, _ pass: Pass) {
    let mark = pass.workspace.mark
    feedForwardNorm.backward(
      kept.feedForward.backward(d, pass), kept.feedForwardNorm, into: d, accumulate: true, pass)
    pass.workspace.release(to: mark)
    attentionNorm.backward(kept.attention.backward(d, pass), kept.attentionNorm, into: d, accumulate: true, pass)
    pass.workspace.release(to: mark)
  }
}
