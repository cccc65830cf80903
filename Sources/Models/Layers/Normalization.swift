import Kernels

/// y = x / sqrt(mean(x²) + ε) · w, over the rows of x: channels of a token, or of one head.
package struct RMSNorm {
  let weight: Parameter
  let epsilon: Float

  init(_ name: String, channels: Int, epsilon: Float, in store: ParameterStore) {
    weight = store.vector(name + ".weight", channels, .ones)
    self.epsilon = epsilon
  }

  struct Kept {
    let x: Matrix
    let rstd: Matrix
  }

  func forward(_ x: Matrix, _ pass: Pass) -> (y: Matrix, kept: Kept) {
    let y = pass.workspace.matrix(x.rows, x.columns)
    let rstd = pass.workspace.matrix(x.rows, 1)
    rmsNorm(x, pass.parameters.vector(weight), epsilon: epsilon, into: y, rstd: rstd)
    return (y, Kept(x: x, rstd: rstd))
  }

  /// Writes dx, or adds to it.
  func backward(_ dy: Matrix, _ kept: Kept, into dx: Matrix, accumulate: Bool, _ pass: Pass) {
    rmsNormGradient(
      dy, kept.x, pass.parameters.vector(weight), rstd: kept.rstd, into: dx,
      addingTo: pass.parameters.vectorGradient(weight), accumulate: accumulate)
  }
}
