import CKernels
import Testing

extension KernelSuite {
  @Suite struct NormTests {
    static let shapes = [(0, 8), (1, 2), (3, 5), (2, 16), (7, 64), (5, 80), (130, 37), (40, 577), (3, 2048)]

    @Test(arguments: shapes, [0, 1] as [Float]) func rmsNormEqualsItsTwin(_ shape: (t: Int, c: Int), offset: Float) {
      var numbers = Numbers(seed: 1)
      let (t, c) = shape
      let (x, w, dy) = (numbers.normals(t * c), numbers.normals(c), numbers.normals(t * c))
      let (dx, dw) = (numbers.normals(t * c), numbers.normals(c))
      var (y, newDx, addedDx, newDw) = (zeros(t * c), zeros(t * c), dx.doubles, dw.doubles)
      naive_rms_norm(x.doubles, w.doubles, Double(offset), Double(Float(1e-6)), &y, t, c)
      naive_rms_norm_gradient(
        dy.doubles, x.doubles, w.doubles, Double(offset), Double(Float(1e-6)), &newDx, &newDw, t, c)
      for i in 0..<t * c { addedDx[i] += newDx[i] }
      onEveryVariant {
        var (result, bare, rstd) = (unwritten(t * c), unwritten(t * c), unwritten(t))
        gk_rms_norm(x, w, offset, 1e-6, &result, &rstd, t, c)
        gk_rms_norm(x, w, offset, 1e-6, &bare, nil, t, c)
        var (fresh, added, weight, again) = (unwritten(t * c), dx, dw, dw)
        gk_rms_norm_gradient(dy, x, w, offset, rstd, &fresh, &weight, t, c, false)
        gk_rms_norm_gradient(dy, x, w, offset, rstd, &added, &again, t, c, true)
        #expect(result.bits == bare.bits)
        #expect(weight.bits == again.bits)
        return [result, fresh, added, weight]
      } check: { variant, results in
        guard t > 0 else { return }
        #expect(relativeError(results[0], y) < 3e-7, "\(variant)")
        #expect(relativeError(results[1], newDx) < 1e-6, "\(variant)")
        #expect(relativeError(results[2], addedDx) < 1e-6, "\(variant)")
        #expect(relativeError(results[3], newDw) < 1e-6, "\(variant)")
      }
    }

    @Test func rmsNormGradientIsThatOfItsTwin() {
      var numbers = Numbers(seed: 2)
      let (t, c) = (3, 7)
      let (x, w, dy) = (numbers.normals(t * c).doubles, numbers.normals(c).doubles, numbers.normals(t * c).doubles)
      func loss(_ x: [Double], _ w: [Double]) -> Double {
        var y = zeros(t * c)
        naive_rms_norm(x, w, 1, 1e-6, &y, t, c)
        return dot(y, dy)
      }
      var (dx, dw) = (zeros(t * c), zeros(c))
      naive_rms_norm_gradient(dy, x, w, 1, 1e-6, &dx, &dw, t, c)
      #expect(relativeError(dx, centralDifferences(x) { loss($0, w) }) < 1e-8)
      #expect(relativeError(dw, centralDifferences(w) { loss(x, $0) }) < 1e-8)
    }
  }
}
