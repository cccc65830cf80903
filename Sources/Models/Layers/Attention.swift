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
    let x: Matrix
    let q, k, v: Matrix
    let qNorm, kNorm: RMSNorm.Kept?
    let out, lse: Matrix
  }

  /// x[T, C] → y[T, C].
  package func forward(_ x: Matrix, _ pass: Pass) -> (y: Matrix, kept: any Record) {
    let (q, qKept) = normalized(self.q.forward(x, pass), by: qNorm, pass)
    let (k, kKept) = normalized(self.k.forward(x, pass), by: kNorm, pass)
    let v = self.v.forward(x, pass)
    rotary.forward(q, pass)
    rotary.forward(k, pass)

    let out = pass.workspace.matrix(x.rows, heads.queries * heads.size)
    let lse = pass.workspace.matrix(x.rows, heads.queries)
    var (keys, values) = (k, v)
    if let cache = pass.cache {
      cache.store(k, v, of: pass.batch, layer: layer)
      (keys, values) = (cache.keys(layer: layer), cache.values(layer: layer))
    }
    Kernels.attention(
      q, keys, values, sinks: sinks.map(pass.parameters.vector), heads: heads, segments: pass.batch.segments,
      spans: pass.batch.spans, into: out, lse: lse)
    let y = o.forward(out, pass)
    return (y, Kept(attention: self, x: x, q: q, k: k, v: v, qNorm: qKept, kNorm: kKept, out: out, lse: lse))
  }

  private func normalized(_ x: Matrix, by norm: RMSNorm?, _ pass: Pass) -> (Matrix, RMSNorm.Kept?) {
    guard let norm else { return (x, nil) }
    let (y, kept) = norm.forward(x.reshaped(columns: norm.weight.count), pass)
    return (y.reshaped(columns: x.columns), kept)
  }
}

extension Attention.Kept {
  func backward(_ dy: Matrix, _ pass: Pass) -> Matrix {
    let (layer, workspace) = (attention, pass.workspace)
    let dout = workspace.matrix(out.rows, out.columns)
    layer.o.backward(dy, x: out, into: dout, pass)

    let dq = workspace.zeros(q.rows, q.columns)
    let dk = workspace.zeros(k.rows, k.columns)
    let dv = workspace.zeros(v.rows, v.columns)
    attentionGradient(
      dout, q, k, v, sinks: layer.sinks.map(pass.parameters.vector), out: out, lse: lse, heads: layer.heads,
      segments: pass.batch.segments, spans: pass.batch.spans,
      trees: pass.batch.trees, dq: dq, dk: dk, dv: dv,
      dsinks: layer.sinks.map(pass.parameters.vectorGradient))
    layer.rotary.backward(dq, pass)
    layer.rotary.backward(dk, pass)

    let dx = workspace.matrix(x.rows, x.columns)
    layer.q.backward(denormalized(dq, layer.qNorm, qNorm, pass), x: x, into: dx, pass)
    layer.k.backward(denormalized(dk, layer.kNorm, kNorm, pass), x: x, into: dx, accumulate: true, pass)
    layer.v.backward(dv, x: x, into: dx, accumulate: true, pass)
    return dx
  }

  private func denormalized(_ dy: Matrix, _ norm: RMSNorm?, _ kept: RMSNorm.Kept?, _ pass: Pass) -> Matrix {
    guard let norm, let kept else { return dy }
    let dx = pass.workspace.matrix(dy.rows, dy.columns)
    norm.backward(
      dy.reshaped(columns: kept.x.columns), kept, into: dx.reshaped(columns: kept.x.columns), accumulate: false, pass)
    return dx
  }
}
