import CKernels
import Foundation
import Testing

extension KernelSuite {
  @Suite struct OptimizerTests {
    @Test(arguments: [0, 1, 15, 17, 16_384, 40_000]) func sumOfSquaresIsExactToDoubles(count: Int) {
      var numbers = Numbers(seed: 1)
      let x = numbers.normals(count)
      let expected = x.doubles.reduce(0) { $0 + $1 * $1 }
      for variant in variants {
        let sums = [Int32(1), 2, 3].map { threads in
          with(variant: variant, threads: threads) { gk_sum_of_squares(x, count) }
        }
        #expect(sums[0] == sums[1] && sums[0] == sums[2], "\(variant)")
        #expect(abs(sums[0] - expected) <= 1e-13 * expected, "\(variant)")
      }
    }

    @Test func sumOfSquaresGoesOnAfterARoundOfChunks() {
      let count = 256 * 16_384 + 5
      let ones = [Float](repeating: 1, count: count)
      #expect(gk_sum_of_squares(ones, count) == Double(count))
    }

    static func step(_ number: Int, scale: Double = 1) -> gk_adamw_step {
      gk_adamw_step(
        learning_rate: 3e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01, gradient_scale: scale,
        bias_correction1: 1 - pow(0.9, Double(number)), bias_correction2: 1 - pow(0.999, Double(number)))
    }

    /// What torch 2.13 gives:
    ///
    ///     w = torch.tensor([0.5, -1.25, 3.0, 0.01, -0.3], requires_grad=True)
    ///     o = torch.optim.AdamW([w], lr=3e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01, foreach=False)
    ///     for g in gradients: w.grad = torch.tensor(g); o.step()
    ///     w, o.state[w]["exp_avg"], o.state[w]["exp_avg_sq"]
    @Test func threeStepsGiveTorchsNumbers() {
      let gradients: [[Float]] = [
        [0.1, -2.0, 1e-4, 0.0, 7.5], [-0.3, 0.4, 2e-4, 1e-9, -1.0], [0.25, 1.0, -3e-4, 0.0, 0.5],
      ]
      let w: [Float] = [
        0.4981476664543152, -1.2451351881027222, 2.994035243988037, 0.009757447056472301, -0.30610576272010803,
      ]
      let m: [Float] = [
        0.006100000347942114, -0.026000000536441803, -3.900001956935739e-06, 9.000000050773949e-11, 0.5674999952316284,
      ]
      let v: [Float] = [
        0.00016239003161899745, 0.005151844117790461, 1.3994003178474657e-10, 9.990000208038389e-22,
        0.05738655850291252,
      ]
      for variant in variants {
        with(variant: variant) {
          var weights: [Float] = [0.5, -1.25, 3.0, 0.01, -0.3]
          var (first, second) = ([Float](repeating: 0, count: 5), [Float](repeating: 0, count: 5))
          for (i, g) in gradients.enumerated() {
            var step = Self.step(i + 1)
            gk_adamw(&weights, g, &first, &second, 5, &step)
          }
          // The moments to the bit, but without fused multiply-adds; the weights as torch's square root has it.
          let exact = variant != "plain"
          for (result, torch, ulps) in [(weights, w, 1), (first, m, exact ? 0 : 4), (second, v, exact ? 0 : 1)] {
            for (a, b) in zip(result, torch) { #expect(abs(a - b) <= Float(ulps) * b.magnitude.ulp, "\(variant)") }
          }
        }
      }
    }

    @Test(arguments: [0, 1, 15, 17, 1000, 40_000]) func aStepEqualsItsTwin(count: Int) {
      var numbers = Numbers(seed: 2)
      let (w, g, m) = (numbers.normals(count), numbers.normals(count, deviation: 10), numbers.normals(count))
      let v = numbers.normals(count).map { $0 * $0 }
      var step = Self.step(7, scale: 0.25)
      var (twinW, twinM, twinV) = (w.doubles, m.doubles, v.doubles)
      naive_adamw(&twinW, g.doubles, &twinM, &twinV, count, &step)
      onEveryVariant {
        var (weights, first, second, step) = (w, m, v, step)
        gk_adamw(&weights, g, &first, &second, count, &step)
        return [weights, first, second]
      } check: { variant, results in
        for (result, twin) in zip(results, [twinW, twinM, twinV]) {
          #expect(relativeError(result, twin) < 2e-7, "\(variant)")
        }
      }
    }
  }
}
