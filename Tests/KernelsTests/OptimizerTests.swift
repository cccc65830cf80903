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
        bias_correction1: 1 - pow(0.9, Double(number)), bias_correction2: 1 - pow(0.999, Double(number)),
        number: UInt32(number))
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
            #expect(gk_adamw(&weights, g, &first, &second, nil, 5, &step))
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
        #expect(gk_adamw(&weights, g, &first, &second, nil, count, &step))
        return [weights, first, second]
      } check: { variant, results in
        for (result, twin) in zip(results, [twinW, twinM, twinV]) {
          #expect(relativeError(result, twin) < 2e-7, "\(variant)")
        }
      }
    }

    @Test(arguments: [1, 15, 17, 40_000]) func aWeightThatIsNoFiniteNumberIsReported(count: Int) {
      for variant in variants {
        for place in Set([0, count / 2, count - 1]) {
          for bad in [Float.infinity, .nan] {
            with(variant: variant) {
              // An epsilon of 0 makes nothing of 0 / 0 past the end.
              var step = Self.step(1)
              step.epsilon = 0
              var w = [Float](repeating: 1, count: count)
              let g = w
              var (m, v) = ([Float](repeating: 0, count: count), [Float](repeating: 0, count: count))
              var (mHalf, vHalf) = ([UInt16](repeating: 0, count: count), [UInt16](repeating: 0, count: count))
              #expect(gk_adamw(&w, g, &m, &v, nil, count, &step), "\(variant)")
              #expect(gk_adamw_bfloat16(&w, g, &mHalf, &vHalf, nil, 0, count, &step), "\(variant)")
              w[place] = bad
              #expect(!gk_adamw(&w, g, &m, &v, nil, count, &step), "\(variant)")
              #expect(!gk_adamw_bfloat16(&w, g, &mHalf, &vHalf, nil, 0, count, &step), "\(variant)")
            }
          }
        }
      }
    }

    /// Moments in bfloat16 are stepped as float32's are, to the bit, and rounded as the twin rounds them; where the calls
    /// are cut does not show.
    @Test(arguments: [0, 1, 15, 17, 1000, 40_000], [0, 1_000_003, (1 << 32) - 5])
    func momentsInBFloat16EqualTheirTwin(count: Int, first: Int) {
      var numbers = Numbers(seed: 3)
      let (w, g) = (numbers.normals(count), numbers.normals(count, deviation: 10))
      let m = numbers.normals(count).map { UInt16($0.bitPattern >> 16) }
      let v = numbers.normals(count).map { UInt16(($0 * $0).bitPattern >> 16) }
      func wide(_ halves: [UInt16]) -> [Float] { halves.map { Float(bitPattern: UInt32($0) << 16) } }
      for variant in variants {
        var step = Self.step(7, scale: 0.25)
        var (wTwin, mWide, vWide) = (w, wide(m), wide(v))
        var (mTwin, vTwin) = (m, v)
        with(variant: variant) { _ = gk_adamw(&wTwin, g, &mWide, &vWide, nil, count, &step) }
        naive_round_moments(mWide, vWide, &mTwin, &vTwin, first, count, step.number)
        for (threads, cut) in [(1, count), (3, count), (2, count / 3)] {
          var (weights, mResult, vResult) = (w, m, v)
          with(variant: variant, threads: Int32(threads)) {
            weights.withUnsafeMutableBufferPointer { w in
              mResult.withUnsafeMutableBufferPointer { m in
                vResult.withUnsafeMutableBufferPointer { v in
                  for range in [0..<cut, cut..<count] {
                    guard let w = w.baseAddress, let m = m.baseAddress, let v = v.baseAddress else { continue }
                    let at = range.lowerBound
                    _ = gk_adamw_bfloat16(
                      w + at, Array(g[range]), m + at, v + at, nil, first + at, range.count, &step)
                  }
                }
              }
            }
          }
          #expect(weights.bits == wTwin.bits, "\(variant)")
          #expect(mResult == mTwin && vResult == vTwin, "\(variant)")
        }
      }
    }

    /// Weights that are rounded with the step are those of a step and a rounding after it.
    @Test(arguments: [(32, 2), (70, 300), (1, 1026)]) func theStepRoundsItsWeights(n: Int, c: Int) {
      var numbers = Numbers(seed: 5)
      let count = gk_packed_count(n, c)
      let (w, g, m) = (numbers.normals(count), numbers.normals(count), numbers.normals(count))
      let v = numbers.normals(count).map { $0 * $0 }
      let (mHalf, vHalf) = (m.map { UInt16($0.bitPattern >> 16) }, v.map { UInt16($0.bitPattern >> 16) })
      var step = Self.step(3)
      for variant in variants {
        with(variant: variant, threads: 2) {
          func narrowed(_ w: [Float]) -> [UInt16] {
            var halves = [UInt16](repeating: 0, count: count)
            gk_bfloat16_narrow(w, &halves, n, c)
            return halves
          }
          var (weights, first, second) = (w, m, v)
          var rounded = [UInt16](repeating: 7, count: count)
          _ = gk_adamw(&weights, g, &first, &second, &rounded, count, &step)
          #expect(rounded == narrowed(weights), "\(variant)")
          var (weightsToo, firstHalf, secondHalf) = (w, mHalf, vHalf)
          rounded = rounded.map { _ in 7 }
          _ = gk_adamw_bfloat16(&weightsToo, g, &firstHalf, &secondHalf, &rounded, 0, count, &step)
          #expect(rounded == narrowed(weightsToo), "\(variant)")
          #expect(weights != w && weightsToo != w)
        }
      }
    }

    /// A moment between two numbers of bfloat16 becomes the upper one as often as it is near it, by chances that are
    /// another's neither for the other moment nor in the next step.
    @Test func theRoundingKeepsTheMean() {
      let count = 1 << 18
      var ups: [[Bool]] = []
      for number: UInt32 in [1, 2] {
        let (m, v) = ([Float](repeating: -1.001, count: count), [Float](repeating: 0.999, count: count))
        var (mHalf, vHalf) = ([UInt16](repeating: 0, count: count), [UInt16](repeating: 0, count: count))
        naive_round_moments(m, v, &mHalf, &vHalf, 0, count, number)
        // Numbers of bfloat16 are 2⁻⁷ apart above 1 and 2⁻⁸ below.
        #expect(Set(mHalf) == [0xBF80, 0xBF81] && Set(vHalf) == [0x3F7F, 0x3F80])
        ups += [mHalf.map { $0 == 0xBF81 }, vHalf.map { $0 == 0x3F80 }]
      }
      let chances = [0.001 * 128, 1 - 0.001 * 256, 0.001 * 128, 1 - 0.001 * 256]
      func isNear(_ share: Double, _ chance: Double) -> Bool {
        abs(share - chance) < 4 * (chance * (1 - chance) / Double(count)).squareRoot()
      }
      for i in 0..<4 {
        #expect(isNear(Double(ups[i].count { $0 }) / Double(count), chances[i]))
        for j in 0..<i {
          let both = Double(zip(ups[i], ups[j]).count { $0 && $1 }) / Double(count)
          #expect(isNear(both, chances[i] * chances[j]), "\(i) and \(j)")
        }
      }
    }

    /// The second moment of equal gradients reaches their square, which rounding to nearest would keep from it.
    @Test func theSecondMomentDoesNotStandStill() {
      let count = 4096
      let g = [Float](repeating: 0.5, count: count)
      var w = [Float](repeating: 0, count: count)
      var (m, v) = ([UInt16](repeating: 0, count: count), [UInt16](repeating: 0, count: count))
      for number in 1...3000 {
        var step = Self.step(number)
        step.weight_decay = 0
        _ = gk_adamw_bfloat16(&w, g, &m, &v, nil, 0, count, &step)
      }
      let expected = 0.25 * (1 - pow(0.999, 3000))
      let values = v.map { Double(Float(bitPattern: UInt32($0) << 16)) }
      let mean = values.reduce(0, +) / Double(count)
      #expect(abs(mean - expected) < 0.01 * expected)
      let spread = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)).squareRoot()
      #expect(spread < 0.03 * expected)
      // Every update is the learning rate, give or take the root of the second moment.
      let path = w.doubles.reduce(0, +) / Double(count)
      #expect(abs(path + 3000 * 3e-3) < 0.005 * 3000 * 3e-3)
    }
  }
}
