import CKernels
import Foundation
import Testing

extension KernelSuite {
  @Suite struct NormTests {
    static let shapes = [(0, 8), (1, 2), (3, 5), (2, 16), (7, 64), (5, 80), (130, 37), (40, 577), (3, 2048)]

    @Test(arguments: shapes) func rmsNormEqualsItsTwin(t: Int, c: Int) {
      var numbers = Numbers(seed: 1)
      let (x, w, dy) = (numbers.normals(t * c), numbers.normals(c), numbers.normals(t * c))
      let (dx, dw) = (numbers.normals(t * c), numbers.normals(c))
      var (y, newDx, addedDx, newDw) = (zeros(t * c), zeros(t * c), dx.doubles, dw.doubles)
      naive_rms_norm(x.doubles, w.doubles, Double(Float(1e-6)), &y, t, c)
      naive_rms_norm_gradient(dy.doubles, x.doubles, w.doubles, Double(Float(1e-6)), &newDx, &newDw, t, c)
      for i in 0..<t * c { addedDx[i] += newDx[i] }
      onEveryVariant {
        var (result, bare, rstd) = (unwritten(t * c), unwritten(t * c), unwritten(t))
        gk_rms_norm(x, w, 1e-6, &result, &rstd, t, c)
        gk_rms_norm(x, w, 1e-6, &bare, nil, t, c)
        var (fresh, added, weight, again) = (unwritten(t * c), dx, dw, dw)
        gk_rms_norm_gradient(dy, x, w, rstd, &fresh, &weight, t, c, false)
        gk_rms_norm_gradient(dy, x, w, rstd, &added, &again, t, c, true)
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
        naive_rms_norm(x, w, 1e-6, &y, t, c)
        return dot(y, dy)
      }
      var (dx, dw) = (zeros(t * c), zeros(c))
      naive_rms_norm_gradient(dy, x, w, 1e-6, &dx, &dw, t, c)
      #expect(relativeError(dx, centralDifferences(x) { loss($0, w) }) < 1e-8)
      #expect(relativeError(dw, centralDifferences(w) { loss(x, $0) }) < 1e-8)
    }

    @Test(arguments: [2, 6, 16, 32, 64, 80, 128]) func ropeTurnsPairs(d: Int) {
      var numbers = Numbers(seed: 3)
      for (t, heads) in [(0, 1), (1, 1), (9, 3), (300, 2)] {
        let x = numbers.normals(t * heads * d)
        let positions = numbers.indices(t, below: 50)
        let angles = (0..<50 * d / 2).map { Double($0 / (d / 2)) * pow(10_000, -Double($0 % (d / 2)) * 2 / Double(d)) }
        let (cosine, sine) = (angles.map { Float(cos($0)) }, angles.map { Float(sin($0)) })
        for inverse in [false, true] {
          var expected = x.doubles
          naive_rope(&expected, positions, cosine.doubles, sine.doubles, t, heads, d, inverse)
          onEveryVariant {
            var turned = x
            gk_rope(&turned, positions, cosine, sine, t, heads, d, inverse)
            var back = turned
            gk_rope(&back, positions, cosine, sine, t, heads, d, !inverse)
            return [turned, back]
          } check: { variant, results in
            #expect(relativeError(results[0], expected) < 2e-7, "\(variant)")
            #expect(relativeError(results[1], x.doubles) < 3e-7, "\(variant)")
          }
        }
      }
    }

    @Test func ropeIsTheHalvesForm() {
      // A quarter turn of the pairs (1, 3) and (2, 4).
      var x: [Float] = [1, 2, 3, 4]
      gk_rope(&x, [0], [0, 0], [1, 1], 1, 1, 4, false)
      #expect(x == [-3, -4, 1, 2])
    }
  }
}
