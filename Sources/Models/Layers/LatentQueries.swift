import Kernels

/// The queries of latent attention: one projection, or two of low rank with a norm between them (arXiv 2405.04434).
struct LatentQueries {
  /// C → H · (N + P), or from the compressed query.
  let projection: Linear
  /// C → the compressed query, and its norm.
  let compression: (down: Linear, norm: RMSNorm)?

  struct Kept {
    /// The compressed query after its norm, where there is one.
    let compressed: (normed: Matrix, norm: RMSNorm.Kept)?

    /// What the projection sees, for x[T, C].
    func input(_ x: Matrix) -> Matrix { compressed?.normed ?? x }

    var rows: [Matrix] { compressed.map { [$0.normed, $0.norm.x, $0.norm.rstd] } ?? [] }
  }

  /// What ``keep(_:_:)`` would, of rows that other passes have computed.
  func kept(of rows: inout KeptRows) -> Kept {
    Kept(compressed: compression.map { _ in (rows.next(), RMSNorm.Kept(x: rows.next(), rstd: rows.next())) })
  }

  /// What the projection and the way back need of x[T, C].
  func keep(_ x: Matrix, _ pass: Pass) -> Kept {
    Kept(
      compressed: compression.map { down, norm in
        let (normed, kept) = norm.forward(down.forward(x, pass), pass)
        return (normed, kept)
      })
  }

  /// dq[T, H · (N + P)] → dx[T, C].
  func backward(_ dq: Matrix, _ kept: Kept, x: Matrix, into dx: Matrix, _ pass: Pass) {
    guard let (down, norm) = compression, let (normed, normKept) = kept.compressed else {
      projection.backward(dq, x: x, into: dx, pass)
      return
    }
    let dnormed = pass.workspace.matrix(normed.rows, normed.columns)
    projection.backward(dq, x: normed, into: dnormed, pass)
    let dcompressed = pass.workspace.matrix(normed.rows, normed.columns)
    norm.backward(dnormed, normKept, into: dcompressed, accumulate: false, pass)
    down.backward(dcompressed, x: x, into: dx, pass)
  }
}
