import Kernels

/// y = x + scale · after(layer(before(x))), where before and after are norms or nothing.
package struct Residual {
  let before: RMSNorm?
  let layer: any Layer
  let after: RMSNorm?
  let scale: Float

  init(before: RMSNorm? = nil, _ layer: any Layer, after: RMSNorm? = nil, scale: Float = 1) {
    self.before = before
    self.layer = layer
    self.after = after
    self.scale = scale
  }

  struct Kept {
    let x: Matrix
    let layer: any Record
    /// What the layer says, where a norm stands after it.
    let inner: Matrix?
  }

  /// - Parameter normed: [T, C], to work in.
  func keep(_ x: Matrix, normed: Matrix, _ pass: Pass) -> Kept {
    let seen = before == nil ? x : normed
    _ = before?.forward(x, into: normed, pass)
    let layerKept = layer.keep(seen, pass)
    let inner = after.map { _ in pass.workspace.matrix(x.rows, x.columns) }
    if let inner { layerKept.output(into: inner, pass) }
    return Kept(x: x, layer: layerKept, inner: inner)
  }

  func rows(_ kept: Kept, _ pass: Pass) -> [TokenRows] {
    kept.layer.rows(pass) + ([kept.x] + (kept.inner.map { [$0] } ?? [])).map(TokenRows.init)
  }

  /// What ``keep(_:normed:_:)`` would, of rows that other passes have computed.
  func kept(of rows: inout KeptRows, _ pass: Pass) -> Kept {
    let record = layer.record(of: &rows, pass)
    return Kept(x: rows.next(), layer: record, inner: after.map { _ in rows.next() })
  }

  /// y[T, C], which may not be x.
  func output(_ kept: Kept, into y: Matrix, _ pass: Pass) {
    let mark = pass.workspace.mark
    if let after, let inner = kept.inner {
      _ = after.forward(inner, into: y, pass)
    } else {
      kept.layer.output(into: y, pass)
    }
    pass.workspace.release(to: mark)
    if scale != 1 { Kernels.scale(y, by: scale, into: y) }
    add(kept.x, to: y)
  }

  /// d[T, C], the gradient of y, becomes the gradient of x in place.
  func backward(_ d: Matrix, _ kept: Kept, _ pass: Pass) {
    let workspace = pass.workspace
    let mark = workspace.mark
    func like(_ d: Matrix) -> Matrix { workspace.matrix(d.rows, d.columns) }
    let dx = like(d)
    var (inner, x) = (d, kept.x)
    if scale != 1 {
      inner = like(d)
      Kernels.scale(d, by: scale, into: inner)
    }
    if let after, let said = kept.inner {
      let dbranch = inner
      inner = like(d)
      let afterKept = after.forward(said, into: inner, pass)
      after.backward(dbranch, afterKept, into: inner, accumulate: false, pass)
    }
    if before != nil { x = like(d) }
    let beforeKept = before?.forward(kept.x, into: x, pass)
    kept.layer.backward(inner, x: x, into: dx, pass)
    if let before, let beforeKept {
      before.backward(dx, beforeKept, into: d, accumulate: true, pass)
    } else {
      add(dx, to: d)
    }
    workspace.release(to: mark)
  }
}
