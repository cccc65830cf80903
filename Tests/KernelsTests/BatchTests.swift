import CKernels
import Testing

extension KernelSuite {
  /// A row's bits do not depend on the rows computed beside it. (Products and attention say so in their own tests.)
  @Suite struct BatchTests {
    /// `compute` over all rows of x[T, C] at once and over each alone.
    private func expectSameBits(_ x: [Float], _ c: Int, _ compute: (_ rows: [Float], _ first: Int) -> [Float]) {
      for variant in variants {
        with(variant: variant) {
          let together = compute(x, 0)
          let alone = (0..<x.count / c).flatMap { compute(Array(x[$0 * c..<($0 + 1) * c]), $0) }
          #expect(together.bits == alone.bits, "\(variant), \(c) columns")
        }
      }
    }

    @Test(arguments: [1, 7, 16, 37, 64, 130]) func rowsStandAlone(c: Int) {
      var numbers = Numbers(seed: UInt64(c))
      let t = 600
      let (x, w) = (numbers.normals(t * c, deviation: 2), numbers.normals(c))
      let up = numbers.normals(t * c)
      expectSameBits(x, c) { rows, _ in
        var (y, rstd) = (unwritten(rows.count), unwritten(rows.count / c))
        gk_rms_norm(rows, w, 1, 1e-6, &y, &rstd, rows.count / c, c)
        return y
      }
      expectSameBits(x, c) { rows, _ in
        var y = rows
        gk_softcap(&y, 1.5, y.count)
        return y
      }
      expectSameBits(x, c) { rows, first in
        let n = rows.count / c
        var (rotation, y) = (
          gk_rotation(heads: 1, head_stride: c, row_stride: c, turned: c & ~1, interleaved: false), rows
        )
        gk_rope(&rotation, &y, (first..<first + n).map { Int32($0 % 50) }, up, w + up, n, false)
        return y
      }
      // The end of a row is the end of a vector in one case only.
      for var activation in GLUTests.activations {
        expectSameBits(x, c) { rows, first in
          var h = unwritten(rows.count)
          gk_glu(&activation, rows, Array(up[first * c..<first * c + rows.count]), &h, rows.count)
          return h
        }
      }
      let targets = numbers.indices(t, below: c)
      expectSameBits(x, c) { rows, first in
        let n = rows.count / c
        var logp = unwritten(n)
        gk_log_softmax(rows, nil, 1.25, Array(targets[first..<first + n]), &logp, nil, nil, n, c)
        return logp
      }
      let k = min(c, 3)
      expectSameBits(x, c) { rows, _ in
        let n = rows.count / c
        var (scores, weights) = (unwritten(n * c), unwritten(n * k))
        var experts = [Int32](repeating: -1, count: n * k)
        var rule = gk_routing(c, k, normalize: true)
        gk_route(&rule, rows, nil, &scores, &experts, &weights, n)
        return weights
      }
      let tokens = numbers.indices(2 * t, below: t)
      let shares = numbers.normals(2 * t)
      expectSameBits(shares, 2) { rows, first in
        var y = unwritten(rows.count / 2 * c)
        gk_combine(x, Array(tokens[2 * first..<2 * first + rows.count]), rows, &y, rows.count / 2, 2, c)
        return y
      }
    }
  }
}
