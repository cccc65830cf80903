import Kernels

/// y = x + scale · after(layer(before(x))), where before and after are norms or nothing.
package struct Residual {
  let before: RMSNorm?
  let layer: any Layer
  let after: RMSNorm?

  init(before: RMSNorm? = nil, _ layer: any Layer, after: RMSNorm? = nil) {
    self.before = before
    self.layer = layer
    self.after = after
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
    y.start.update(from: x.start, count: y.count)
    add(after?.y ?? inner, to: y)
    return Kept(before: before?.kept, layer: layerKept, after: after?.kept)
  }

  /// d[T, C], the gradient of y, becomes the gradient of x in place.
  func backward(_ d: Matrix, _ kept: Kept, _ pass: Pass) {
    let mark = pass.workspace.mark
    var inner = d
    if let after, let afterKept = kept.after {
      inner = pass.workspace.matrix(d.rows, d.columns)
      after.backward(d, afterKept, into: inner, accumulate: false, pass)
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
