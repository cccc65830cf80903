import CKernels
import Foundation
import Testing

extension KernelSuite {
  @Suite struct RotaryTests {
    /// Whole heads; the first channels of each; the last of a row that all heads share.
    static let rotations = [2, 6, 16, 32, 64, 80, 128].flatMap { turned in
      [false, true].flatMap { interleaved in
        [
          gk_rotation(heads: 3, head_stride: turned, row_stride: 3 * turned, turned: turned, interleaved: interleaved),
          gk_rotation(
            heads: 2, head_stride: turned + 5, row_stride: 2 * turned + 10, turned: turned, interleaved: interleaved),
          gk_rotation(heads: 1, head_stride: turned, row_stride: turned + 24, turned: turned, interleaved: interleaved),
        ]
      }
    }

    /// Cosines and sines of 50 positions, times a factor.
    private func tables(_ turned: Int, factor: Double) -> (cosine: [Float], sine: [Float]) {
      let half = turned / 2
      let angles = (0..<50 * half).map { Double($0 / half) * pow(10_000, -Double($0 % half) * 2 / Double(turned)) }
      return (angles.map { Float(factor * cos($0)) }, angles.map { Float(factor * sin($0)) })
    }

    @Test(arguments: rotations, [0, 1, 9, 300]) func ropeEqualsItsTwin(rotation: gk_rotation, t: Int) {
      var (rotation, numbers) = (rotation, Numbers(seed: 3))
      let (x, positions) = (numbers.normals(t * rotation.row_stride), numbers.indices(t, below: 50))
      let factor = 1.25
      let (cosine, sine) = tables(rotation.turned, factor: factor)
      for transposed in [false, true] {
        var expected = x.doubles
        naive_rope(&rotation, &expected, positions, cosine.doubles, sine.doubles, t, transposed)
        onEveryVariant {
          var turned = x
          gk_rope(&rotation, &turned, positions, cosine, sine, t, transposed)
          var back = turned
          gk_rope(&rotation, &back, positions, cosine, sine, t, !transposed)
          return [turned, back]
        } check: { variant, results in
          #expect(relativeError(results[0], expected) < 2e-7, "\(variant)")
          // There and back is the square of the factor; what is not turned stays.
          var scaled = x.doubles
          for row in 0..<t {
            for head in 0..<rotation.heads {
              let start = row * rotation.row_stride + head * rotation.head_stride
              for i in start..<start + rotation.turned { scaled[i] *= factor * factor }
            }
          }
          #expect(relativeError(results[1], scaled) < 4e-7, "\(variant)")
        }
      }
    }

    @Test(arguments: [false, true]) func theTransposeIsTheGradient(interleaved: Bool) {
      var numbers = Numbers(seed: 8)
      var rotation = gk_rotation(heads: 2, head_stride: 7, row_stride: 15, turned: 6, interleaved: interleaved)
      let (x, dy, positions) = (numbers.normals(30).doubles, numbers.normals(30).doubles, [Int32(3), 41])
      let (cosine, sine) = tables(6, factor: 1.25)
      func loss(_ x: [Double]) -> Double {
        var y = x
        naive_rope(&rotation, &y, positions, cosine.doubles, sine.doubles, 2, false)
        return dot(y, dy)
      }
      var dx = dy
      naive_rope(&rotation, &dx, positions, cosine.doubles, sine.doubles, 2, true)
      #expect(relativeError(dx, centralDifferences(x, loss)) < 1e-10)
    }

    @Test func theFormsPairHalvesAndNeighbours() {
      // A quarter turn of the pairs (1, 3) and (2, 4), and of (1, 2) and (3, 4).
      for (interleaved, expected) in [(false, [-3, -4, 1, 2]), (true, [-2, 1, -4, 3])] as [(Bool, [Float])] {
        var rotation = gk_rotation(heads: 1, head_stride: 4, row_stride: 4, turned: 4, interleaved: interleaved)
        var x: [Float] = [1, 2, 3, 4]
        gk_rope(&rotation, &x, [0], [0, 0], [1, 1], 1, false)
        #expect(x == expected)
      }
    }
  }
}
