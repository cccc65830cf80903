import Kernels

/// y = x / sqrt(mean(x²) + ε) · w, or · (1 + w) where zero-centered, over the rows of x: channels of a token, or of one
/// head.
package struct RMSNorm {
  let weight: Parameter
  let epsilon: Float
  let isZeroCentered: Bool

  init(_ name: String, channels: Int, epsilon: Float, isZeroCentered: Bool = false, in store: ParameterStore) {
    weight = store.vector(name + ".weight", channels, isZeroCentered ? .zeros : .ones)
    self.epsilon = epsilon
    self.isZeroCentered = isZeroCentered
  }

  struct Kept {
    let x: Matrix
    let rstd: Matrix
  }

  func forward(_ x: Matrix, _ pass: Pass) -> (y: Matrix, kept: Kept) {
    let y = pass.workspace.matrix(x.rows, x.columns)
    return (y, forward(x, into: y, pass))
  }

  /// Keeps x, and y is free to go.
  func forward(_ x: Matrix, into y: Matrix, _ pass: Pass) -> Kept {
    let rstd = pass.workspace.matrix(x.rows, 1)
    rmsNorm(x, pass.parameters.vector(weight), offset: offset, epsilon: epsilon, into: y, rstd: rstd)
    return Kept(x: x, rstd: rstd)
  }

  /// Writes dx, or adds to it.
  func backward(_ dy: Matrix, _ kept: Kept, into dx: Matrix, accumulate: Bool, _ pass: Pass) {
    rmsNormGradient(
      dy, kept.x, pass.parameters.vector(weight), offset: offset, rstd: kept.rstd, into: dx,
      addingTo: pass.parameters.vectorGradient(weight), accumulate: accumulate)
  }

  private var offset: Float { isZeroCentered ? 1 : 0 }
}
