import Kernels

/// Grouped-query attention (arXiv 2305.13245) with rotary positions, and RMS norms on q and k where the architecture has
/// them: on each head, or on all channels at once, as wide as the norm's weight. Attention sinks (gpt-oss) are a logit for
/// each head that joins the softmax of its scores and has no value.
package struct Attention: Layer {
  let layer: Int
  let q, k, v, o: Linear
  let qNorm, kNorm: RMSNorm?
  let rotary: RotaryEmbedding
  let heads: HeadShape
  /// [H].
  let sinks: Parameter?

  struct Kept: Record {
    let attention: Attention
    /// Before their norms, where they have any; else as attention sees them.
    let q, k: Matrix
    let v, out, lse: Matrix
  }

  package func keep(_ x: Matrix, _ pass: Pass) -> any Record {
    let workspace = pass.workspace
    let projected = [self.q, self.k, v].forward(x, pass)
    let kept = Kept(
      attention: self, q: projected[0], k: projected[1], v: projected[2],
      out: workspace.matrix(x.rows, heads.queries * heads.size), lse: workspace.matrix(x.rows, heads.queries))
    let mark = workspace.mark
    let (q, k) = (normalized(kept.q, qNorm, pass).y, normalized(kept.k, kNorm, pass).y)
    rotary.forward(q, pass)
    rotary.forward(k, pass)
    var (keys, values) = (k, kept.v)
    if let cache = pass.cache {
      cache.store(k, kept.v, of: pass.batch, layer: layer)
      (keys, values) = (cache.keys(layer: layer), cache.values(layer: layer))
    }
    Kernels.attention(
      q, keys, values, sinks: sinks.map(pass.parameters.vector), heads: heads, segments: pass.batch.segments,
      spans: pass.batch.spans, into: kept.out, lse: kept.lse)
    workspace.release(to: mark)
    return kept
  }

  package func record(of rows: inout KeptRows, _ pass: Pass) -> any Record {
    Kept(attention: self, q: rows.next(), k: rows.next(), v: rows.next(), out: rows.next(), lse: rows.next())
  }

  fileprivate func normalized(_ x: Matrix, _ norm: RMSNorm?, _ pass: Pass) -> (y: Matrix, kept: RMSNorm.Kept?) {
    guard let norm else { return (x, nil) }
    let (y, kept) = norm.forward(x.reshaped(columns: norm.weight.count), pass)
    return (y.reshaped(columns: x.columns), kept)
  }
}

extension Attention.Kept {
  func rows(_ pass: Pass) -> [TokenRows] { [q, k, v, out, lse].map(TokenRows.init) }

  func output(into y: Matrix, _ pass: Pass) { attention.o.forward(out, into: y, pass) }

  func backward(_ dy: Matrix, x: Matrix, into dx: Matrix, _ pass: Pass) {
    let (layer, workspace) = (attention, pass.workspace)
    let dq = workspace.zeros(q.rows, q.columns)
    let dk = workspace.zeros(k.rows, k.columns)
    let dv = workspace.zeros(v.rows, v.columns)
    let (queries, qNorm) = seen(q, layer.qNorm, pass)
    let (keys, kNorm) = seen(k, layer.kNorm, pass)
    let dout = workspace.matrix(out.rows, out.columns)
    layer.o.backward(dy, x: out, into: dout, pass)
    attentionGradient(
      dout, queries, keys, v, sinks: layer.sinks.map(pass.parameters.vector), out: out, lse: lse, heads: layer.heads,
      segments: pass.batch.segments, spans: pass.batch.spans, trees: pass.batch.trees, dq: dq, dk: dk, dv: dv,
      dsinks: layer.sinks.map(pass.parameters.vectorGradient))
    layer.rotary.backward(dq, pass)
    layer.rotary.backward(dk, pass)
    layer.q.backward(denormalized(dq, layer.qNorm, qNorm, pass), x: x, into: dx, pass)
    layer.k.backward(denormalized(dk, layer.kNorm, kNorm, pass), x: x, into: dx, accumulate: true, pass)
    layer.v.backward(dv, x: x, into: dx, accumulate: true, pass)
  }

  /// Queries or keys as attention saw them.
  private func seen(_ x: Matrix, _ norm: RMSNorm?, _ pass: Pass) -> (Matrix, RMSNorm.Kept?) {
    let (y, kept) = attention.normalized(x, norm, pass)
    // Without a norm they were turned where they lie.
    if norm != nil { attention.rotary.forward(y, pass) }
    return (y, kept)
  }

  private func denormalized(_ dy: Matrix, _ norm: RMSNorm?, _ kept: RMSNorm.Kept?, _ pass: Pass) -> Matrix {
    guard let norm, let kept else { return dy }
    let dx = pass.workspace.matrix(dy.rows, dy.columns)
    norm.backward(
      dy.reshaped(columns: kept.x.columns), kept, into: dx.reshaped(columns: kept.x.columns), accumulate: false, pass)
    return dx
  }
}
