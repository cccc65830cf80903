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
    let before: RMSNorm.Kept?
    let layer: any Record
    let after: RMSNorm.Kept?
  }

  /// x[T, C] → y[T, C], which may not be x.
  func forward(_ x: Matrix, into y: Matrix, _ pass: Pass) -> Kept {
    let before = self.before?.forward(x, pass)
    let (inner, layerKept) = layer.forward(before?.y ?? x, pass)
    let after = self.after?.forward(inner, pass)
    let branch = after?.y ?? inner
    // What a layer or a norm returns it does not keep.
    if scale != 1 { Kernels.scale(branch, by: scale, into: branch) }
    y.start.update(from: x.start, count: y.count)
    add(branch, to: y)
    return Kept(before: before?.kept, layer: layerKept, after: after?.kept)
  }

  /// d[T, C], the gradient of y, becomes the gradient of x in place.
  func backward(_ d: Matrix, _ kept: Kept, _ pass: Pass) {
    let mark = pass.workspace.mark
    var inner = d
    if scale != 1 {
      inner = pass.workspace.matrix(d.rows, d.columns)
      Kernels.scale(d, by: scale, into: inner)
    }
    if let after, let afterKept = kept.after {
      let dbranch = inner
      inner = pass.workspace.matrix(d.rows, d.columns)
      after.backward(dbranch, afterKept, into: inner, accumulate: false, pass)
    }
    let dx = kept.layer.backward(inner, pass)
    if let before, let beforeKept = kept.before {
      before.backward(dx, beforeKept, into: d, accumulate: true, pass)
    } else {
      add(dx, to: d)
    }
    pass.workspace.release(to: mark)
  }
}
