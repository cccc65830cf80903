import Kernels

/// The queries of latent attention: one projection, or two of low rank with a norm between them (arXiv 2405.04434).
struct LatentQueries {
  /// C → H · (N + P), or from the compressed query.
  let projection: Linear
  /// C → the compressed query, and its norm.
  let compression: (down: Linear, norm: RMSNorm)?

  struct Kept {
    /// What the projection saw.
    let input: Matrix
    let norm: RMSNorm.Kept?
  }

  /// What the projection sees of x[T, C].
  func input(_ x: Matrix, _ pass: Pass) -> Kept {
    guard let (down, norm) = compression else { return Kept(input: x, norm: nil) }
    let (normed, kept) = norm.forward(down.forward(x, pass), pass)
    return Kept(input: normed, norm: kept)
  }

  /// dq[T, H · (N + P)] → dx[T, C].
  func backward(_ dq: Matrix, _ kept: Kept, x: Matrix, _ pass: Pass) -> Matrix {
    let dinput = pass.workspace.matrix(kept.input.rows, kept.input.columns)
    projection.backward(dq, x: kept.input, into: dinput, pass)
    guard let (down, norm) = compression, let normKept = kept.norm else { return dinput }
    let dcompressed = pass.workspace.matrix(dinput.rows, dinput.columns)
    norm.backward(dinput, normKept, into: dcompressed, accumulate: false, pass)
    let dx = pass.workspace.matrix(x.rows, x.columns)
    down.backward(dcompressed, x: x, into: dx, pass)
    return dx
  }
}
