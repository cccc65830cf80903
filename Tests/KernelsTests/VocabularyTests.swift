import CKernels
import Foundation
import Testing

extension KernelSuite {
  @Suite struct VocabularyTests {
    static let shapes = [(0, 5), (1, 1), (3, 2), (4, 15), (4, 16), (5, 33), (3, 1000), (2, 49_152)]

    @Test(arguments: shapes) func logSoftmaxAndItsGradientEqualTheirTwins(t: Int, v: Int) {
      var numbers = Numbers(seed: 1)
      let logits = numbers.normals(t * v, deviation: 3)
      let targets = numbers.indices(t, below: v)
      let dlogp = numbers.normals(t)
      for inverse: Float in [1, 1 / 0.7] {
        var (logp, lse, entropy, gradient) = (zeros(t), zeros(t), zeros(t), zeros(t * v))
        naive_log_softmax(logits.doubles, Double(inverse), targets, &logp, &lse, &entropy, t, v)
        naive_log_softmax_gradient(logits.doubles, Double(inverse), targets, dlogp.doubles, &gradient, t, v)
        onEveryVariant {
          var (first, second, third, fourth) = (unwritten(t), unwritten(t), unwritten(t), unwritten(t * v))
          gk_log_softmax(logits, nil, inverse, targets, &first, &second, &third, t, v)
          gk_log_softmax_gradient(logits, nil, inverse, targets, second, dlogp, &fourth, t, v)
          var alone = unwritten(t)
          gk_log_softmax(logits, nil, inverse, targets, &alone, nil, nil, t, v)
          #expect(alone.bits == first.bits)
          gk_log_softmax(logits, nil, inverse, nil, nil, &alone, nil, t, v)
          #expect(alone.bits == second.bits)
          var inPlace = logits
          inPlace.withUnsafeMutableBufferPointer {
            gk_log_softmax_gradient(
              $0.baseAddress, nil, inverse, targets, second, dlogp, $0.baseAddress, t, v)
          }
          #expect(inPlace.bits == fourth.bits)
          return [first, second, third, fourth]
        } check: { variant, results in
          guard t > 0 else { return }
          if v == 1 {
            #expect(results[0] == [0] && results[2] == [0] && results[3] == [0], "\(variant)")
          } else {
            for (result, twin) in zip(results, [logp, lse, entropy]) {
              #expect(relativeError(result, twin) < 1e-6, "\(variant)")
            }
            // lse is rounded to single precision, and a probability with it.
            #expect(relativeError(results[3], gradient) < 2e-6, "\(variant)")
          }
        }
      }
    }

    @Test func logSoftmaxsGradientIsThatOfItsTwin() {
      var numbers = Numbers(seed: 2)
      let (t, v) = (3, 6)
      let (logits, dlogp) = (numbers.normals(t * v).doubles, numbers.normals(t).doubles)
      let targets: [Int32] = [0, 5, 3]
      var gradient = zeros(t * v)
      naive_log_softmax_gradient(logits, 1.3, targets, dlogp, &gradient, t, v)
      let differences = centralDifferences(logits) {
        var (logp, lse, entropy) = (zeros(t), zeros(t), zeros(t))
        naive_log_softmax($0, 1.3, targets, &logp, &lse, &entropy, t, v)
        return dot(logp, dlogp)
      }
      #expect(relativeError(gradient, differences) < 1e-8)
    }

    /// Rows by an index, some twice, are those of a copy in its order.
    @Test func rowsMayLieAnywhere() {
      var numbers = Numbers(seed: 9)
      let (t, v) = (9, 33)
      let (logits, dlogp) = (numbers.normals(5 * v), numbers.normals(t))
      let (rows, targets) = (numbers.indices(t, below: 5), numbers.indices(t, below: v))
      let copy = rows.flatMap { logits[Int($0) * v..<(Int($0) + 1) * v] }
      onEveryVariant {
        [(logits, Optional(rows)), (copy, nil)].flatMap { logits, rows in
          var (logp, lse, entropy, gradient) = (unwritten(t), unwritten(t), unwritten(t), unwritten(t * v))
          gk_log_softmax(logits, rows, 1.25, targets, &logp, &lse, &entropy, t, v)
          gk_log_softmax_gradient(logits, rows, 1.25, targets, lse, dlogp, &gradient, t, v)
          return [logp, lse, entropy, gradient]
        }
      } check: { variant, results in
        #expect(results[..<4].map(\.bits) == results[4...].map(\.bits), "\(variant)")
      }
    }

    @Test func masksAndLargeLogitsAreFine() {
      onEveryVariant {
        let logits: [Float] = [-.infinity, 1e30, -.infinity, 1e30] + [7, 7, 7, 7]
        var (logp, lse, entropy) = (unwritten(2), unwritten(2), unwritten(2))
        gk_log_softmax(logits, nil, 1, [1, 2], &logp, &lse, &entropy, 2, 4)
        var gradient = unwritten(8)
        gk_log_softmax_gradient(logits, nil, 1, [0, 2], [1e30, lse[1]], [0, 1], &gradient, 2, 4)
        return [logp, entropy, gradient]
      } check: { variant, results in
        let expected = [-log(2.0), -log(4.0)]
        #expect(relativeError(results[0], expected) < 1e-7, "\(variant)")
        #expect(relativeError(results[1], expected.map { -$0 }) < 1e-7, "\(variant)")
        #expect(relativeError(results[2], [0, 0, 0, 0, -0.25, -0.25, 0.75, -0.25]) < 1e-6, "\(variant)")
      }
    }

    @Test func argmaxTakesTheLowestOfTheLargest() {
      var numbers = Numbers(seed: 3)
      for variant in variants {
        with(variant: variant) {
          for v in [1, 2, 15, 17, 1024, 1025, 49_152] {
            var logits = numbers.normals(v)
            let places = Array(numbers.indices(3, below: v))
            for place in places { logits[Int(place)] = 50 }
            #expect(gk_argmax(logits, v) == places.min())
          }
          #expect(gk_argmax([-.infinity, -.infinity], 2) == 0)
          #expect(gk_argmax([.nan, -3, .nan, 2], 4) == 3)
          #expect(gk_argmax([.nan, .nan], 2) == 0)
        }
      }
    }

    @Test(arguments: [0, 1, 7, 16, 100, 40_003]) func theSoftCapEqualsItsTwin(count: Int) {
      var numbers = Numbers(seed: 6)
      // From deep within the cap to past float32's tanh.
      let (x, dy) = (numbers.normals(count, deviation: 60), numbers.normals(count))
      for cap: Float in [2, 30] {
        var (y, dx) = (x.doubles, zeros(count))
        naive_softcap(&y, Double(cap), count)
        naive_softcap_gradient(dy.doubles, x.doubles, Double(cap), &dx, count)
        onEveryVariant {
          var (capped, gradient) = (x, dy)
          gk_softcap(&capped, cap, count)
          gk_softcap_gradient(capped, cap, &gradient, count)
          return [capped, gradient]
        } check: { variant, results in
          // Each number, not only the largest: small logits keep their digits.
          let worst = zip(results[0], y).map { relativeError([Double($0)], [$1]) }.max() ?? 0
          #expect(worst < 4e-7, "\(variant)")
          // 1 - tanh² is as far off as tanh², however small it is.
          let slope = (zip(results[1], dy).map { $0 / $1 }, zip(dx, dy).map { $0 / Double($1) })
          #expect(largestDifference(slope.0, slope.1) < 4e-7, "\(variant)")
        }
      }
    }

    @Test func theSoftCapsGradientIsThatOfItsTwin() {
      var numbers = Numbers(seed: 7)
      let (x, dy) = (numbers.normals(9, deviation: 3).doubles, numbers.normals(9).doubles)
      func loss(_ x: [Double]) -> Double {
        var y = x
        naive_softcap(&y, 2, 9)
        return dot(y, dy)
      }
      var dx = zeros(9)
      naive_softcap_gradient(dy, x, 2, &dx, 9)
      #expect(relativeError(dx, centralDifferences(x, loss)) < 1e-8)
    }
  }
}
