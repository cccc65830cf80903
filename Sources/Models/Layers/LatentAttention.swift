import Kernels

/// The sizes of multi-head latent attention.
struct LatentShape {
  /// Query heads H.
  let heads: Int
  /// R: channels of the latent that stands for a token's keys and values.
  let latent: Int
  /// P: channels of the rotated part of queries and keys, which all heads' keys share.
  let rotary: Int
  /// N: channels of the part of queries and keys that knows no position.
  let plain: Int
  /// U: channels of a head's values.
  let value: Int
  /// Of the scores q · k.
  let scale: Float
  /// Whether rotation turns channels 2i and 2i + 1; otherwise i and i + P / 2.
  let interleaved: Bool

  /// As grouped-query attention with one key-value head sees it: a key is [latent, rotary], its value the latent.
  var attention: HeadShape {
    HeadShape(queries: heads, keyValues: 1, size: latent + rotary, valueSize: latent, scale: scale)
  }
}

/// Multi-head latent attention (arXiv 2405.04434), absorbed: with keys W_uk c and values W_uv c of the latent c,
/// q · W_uk c = (W_ukᵀ q) · c and Σ p W_uv c = W_uv Σ p c, so that the heads attend to the latents themselves, R + P
/// floats a token, and no key or value of a head is ever made. Sampling and training both compute it so.
package struct LatentAttention: Layer {
  let layer: Int
  let queries: LatentQueries
  /// The two parts of kv_a_proj_with_mqa: C → R and C → P.
  let latent, rotaryKey: Linear
  let latentNorm: RMSNorm
  /// The two parts of kv_b_proj by head: W_ukᵀ [R, N] and W_uv [U, R].
  let absorb, value: [Parameter]
  let o: Linear
  let rotary: RotaryEmbedding
  let shape: LatentShape

  struct Kept: Record {
    let attention: LatentAttention
    let queryKept: LatentQueries.Kept
    let latentKept: RMSNorm.Kept
    /// The plain part of the queries by head, [H · T, N].
    let plain: Matrix
    /// What attention sees, [T, H · (R + P)] and [T, R + P], and what it says, [T, H · R] and [T, H].
    let q, k, out, lse: Matrix
    /// [T, H · U].
    let values: Matrix
    /// [H + 1]: the rows of each head in what lies by head.
    let offsets: Indices
  }

  package func keep(_ x: Matrix, _ pass: Pass) -> any Record {
    let (workspace, tokens, heads) = (pass.workspace, x.rows, shape.heads)
    let projected = [latent, rotaryKey].forward(x, pass)
    let (latents, latentKept) = latentNorm.forward(projected[0], pass)
    let kept = Kept(
      attention: self, queryKept: queries.keep(x, pass), latentKept: latentKept,
      plain: workspace.matrix(heads * tokens, shape.plain),
      q: workspace.matrix(tokens, heads * shape.attention.size), k: workspace.matrix(tokens, shape.attention.size),
      out: workspace.matrix(tokens, heads * shape.latent), lse: workspace.matrix(tokens, heads),
      values: workspace.matrix(tokens, heads * shape.value), offsets: rowsByHead(tokens, pass))

    let mark = workspace.mark
    absorbQueries(x, into: kept, pass)
    copy(Heads(latents), into: Heads(kept.k, channels: latentChannels))
    rotate(Heads(projected[1]), into: Heads(kept.k, channels: rotaryChannels), pass)
    workspace.release(to: mark)

    var keys = kept.k
    if let cache = pass.cache {
      cache.store(kept.k, nil, of: pass.batch, layer: layer)
      keys = cache.keys(layer: layer)
    }
    Kernels.attention(
      kept.q, keys, keys, heads: shape.attention, segments: pass.batch.segments, spans: pass.batch.spans,
      into: kept.out, lse: kept.lse)

    let byHead = workspace.matrix(heads * tokens, shape.value)
    groupedProduct(kept.said(pass), pass.parameters.weights(value), offsets: kept.offsets, into: byHead)
    copy(Heads(grouped: byHead, count: heads), into: Heads(kept.values, count: heads))
    workspace.release(to: mark)
    return kept
  }

  /// [H + 1]: the rows of each head where `tokens` rows lie by head.
  private func rowsByHead(_ tokens: Int, _ pass: Pass) -> Indices {
    pass.workspace.indices((0...shape.heads).map { Int32($0 * tokens) })
  }

  package func record(of rows: inout KeptRows, _ pass: Pass) -> any Record {
    let (queryKept, latentKept) = (queries.kept(of: &rows), RMSNorm.Kept(x: rows.next(), rstd: rows.next()))
    let plain = rows.next()
    let byHead = pass.workspace.matrix(shape.heads * plain.rows, shape.plain)
    copy(Heads(plain, count: shape.heads), into: Heads(grouped: byHead, count: shape.heads))
    return Kept(
      attention: self, queryKept: queryKept, latentKept: latentKept, plain: byHead, q: rows.next(), k: rows.next(),
      out: rows.next(), lse: rows.next(), values: rows.next(), offsets: rowsByHead(plain.rows, pass))
  }

  /// Each head's query as the latents see it, [W_ukᵀ plain, rotated].
  private func absorbQueries(_ x: Matrix, into kept: Kept, _ pass: Pass) {
    let heads = shape.heads
    let projected = queries.projection.forward(kept.queryKept.input(x), pass)
    copy(Heads(projected, count: heads, channels: 0..<shape.plain), into: Heads(grouped: kept.plain, count: heads))
    let absorbed = pass.workspace.matrix(kept.plain.rows, shape.latent)
    groupedProduct(kept.plain, pass.parameters.weights(absorb), offsets: kept.offsets, into: absorbed)
    copy(Heads(grouped: absorbed, count: heads), into: Heads(kept.q, count: heads, channels: latentChannels))
    rotate(
      Heads(projected, count: heads, channels: projectedRotaryChannels),
      into: Heads(kept.q, count: heads, channels: rotaryChannels), pass)
  }

  /// Of a row of attention's q or k.
  fileprivate var latentChannels: Range<Int> { 0..<shape.latent }
  fileprivate var rotaryChannels: Range<Int> { shape.latent..<shape.latent + shape.rotary }
  /// The rotary part of a projected query.
  fileprivate var projectedRotaryChannels: Range<Int> { shape.plain..<shape.plain + shape.rotary }

  /// The rotary part of queries or keys as a projection gives it, turned, with its pairs in halves.
  private func rotate(_ x: Heads, into y: Heads, _ pass: Pass) {
    let turned = pass.workspace.matrix(x.tokens, x.heads * shape.rotary)
    let (first, second) = shape.interleaved ? x.pairs : x.halves
    let halves = Heads(turned, count: x.heads).halves
    copy(first, into: halves.0)
    copy(second, into: halves.1)
    rotary.forward(turned, pass)
    copy(Heads(turned, count: x.heads), into: y)
  }

  /// The gradient of ``rotate(_:into:_:)``.
  fileprivate func rotateBack(_ dy: Heads, into dx: Heads, _ pass: Pass) {
    let turned = pass.workspace.matrix(dy.tokens, dy.heads * shape.rotary)
    copy(dy, into: Heads(turned, count: dy.heads))
    rotary.backward(turned, pass)
    let (first, second) = shape.interleaved ? dx.pairs : dx.halves
    let halves = Heads(turned, count: dy.heads).halves
    copy(halves.0, into: first)
    copy(halves.1, into: second)
  }
}

extension LatentAttention.Kept {
  func rows(_ pass: Pass) -> [TokenRows] {
    let heads = attention.shape.heads
    let byToken = pass.workspace.matrix(q.rows, heads * plain.columns)
    copy(Heads(grouped: plain, count: heads), into: Heads(byToken, count: heads))
    return (queryKept.rows + [latentKept.x, latentKept.rstd, byToken, q, k, out, lse, values]).map(TokenRows.init)
  }

  /// What attention says of the latents, by head: [H · T, R].
  fileprivate func said(_ pass: Pass) -> Matrix {
    let heads = attention.shape.heads
    let said = pass.workspace.matrix(heads * out.rows, attention.shape.latent)
    copy(Heads(out, count: heads), into: Heads(grouped: said, count: heads))
    return said
  }

  func output(into y: Matrix, _ pass: Pass) { attention.o.forward(values, into: y, pass) }

  func backward(_ dy: Matrix, x: Matrix, into dx: Matrix, _ pass: Pass) {
    let (parameters, workspace, layer) = (pass.parameters, pass.workspace, attention)
    let (shape, tokens, heads) = (layer.shape, x.rows, layer.shape.heads)

    let dvalues = workspace.matrix(tokens, values.columns)
    layer.o.backward(dy, x: values, into: dvalues, pass)
    let said = said(pass)
    let dbyHead = workspace.matrix(heads * tokens, shape.value)
    copy(Heads(dvalues, count: heads), into: Heads(grouped: dbyHead, count: heads))
    groupedProductWeightGradient(
      Rows(dbyHead), Rows(said), offsets: offsets, addingTo: parameters.weightGradient(layer.value))
    let dsaid = workspace.matrix(said.rows, said.columns)
    groupedProductInputGradient(Rows(dbyHead), parameters.weights(layer.value), offsets: offsets, into: dsaid)
    let dout = workspace.matrix(tokens, out.columns)
    copy(Heads(grouped: dsaid, count: heads), into: Heads(dout, count: heads))

    let dq = workspace.zeros(tokens, q.columns)
    let dk = workspace.zeros(tokens, k.columns)
    attentionGradient(
      dout, q, k, k, out: out, lse: lse, heads: shape.attention, segments: pass.batch.segments,
      spans: pass.batch.spans, trees: pass.batch.trees, dq: dq, dk: dk, dv: dk)

    let dabsorbed = workspace.matrix(heads * tokens, shape.latent)
    copy(Heads(dq, count: heads, channels: layer.latentChannels), into: Heads(grouped: dabsorbed, count: heads))
    groupedProductWeightGradient(
      Rows(dabsorbed), Rows(plain), offsets: offsets, addingTo: parameters.weightGradient(layer.absorb))
    let dplain = workspace.matrix(plain.rows, plain.columns)
    groupedProductInputGradient(Rows(dabsorbed), parameters.weights(layer.absorb), offsets: offsets, into: dplain)
    let dprojected = workspace.matrix(tokens, heads * (shape.plain + shape.rotary))
    copy(Heads(grouped: dplain, count: heads), into: Heads(dprojected, count: heads, channels: 0..<shape.plain))
    layer.rotateBack(
      Heads(dq, count: heads, channels: layer.rotaryChannels),
      into: Heads(dprojected, count: heads, channels: layer.projectedRotaryChannels), pass)
    layer.queries.backward(dprojected, queryKept, x: x, into: dx, pass)

    let dnormed = workspace.matrix(tokens, shape.latent)
    copy(Heads(dk, channels: layer.latentChannels), into: Heads(dnormed))
    let dlatent = workspace.matrix(tokens, shape.latent)
    layer.latentNorm.backward(dnormed, latentKept, into: dlatent, accumulate: false, pass)
    layer.latent.backward(dlatent, x: x, into: dx, accumulate: true, pass)
    let drotary = workspace.matrix(tokens, shape.rotary)
    layer.rotateBack(Heads(dk, channels: layer.rotaryChannels), into: Heads(drotary), pass)
    layer.rotaryKey.backward(drotary, x: x, into: dx, accumulate: true, pass)
  }
}
