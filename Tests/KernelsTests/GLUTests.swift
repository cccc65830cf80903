import CKernels
import Testing

extension KernelSuite {
  @Suite struct GLUTests {
    static let activations = [
      gk_activation(unit: GK_SILU, alpha: 0, limit: 0), gk_activation(unit: GK_GELU, alpha: 0, limit: 0),
      gk_activation(unit: GK_CLAMPED, alpha: 1.702, limit: 7), gk_activation(unit: GK_CLAMPED, alpha: 1.5, limit: 0.5),
    ]

    @Test(arguments: activations, [0, 1, 15, 16, 100, 20_011])
    func gatedUnitsEqualTheirTwins(activation: gk_activation, count: Int) {
      var (activation, numbers) = (activation, Numbers(seed: 4))
      let (gate, up) = (numbers.normals(count, deviation: 4), numbers.normals(count, deviation: 3))
      let dh = numbers.normals(count)
      var (h, dgate, dup) = (zeros(count), zeros(count), zeros(count))
      naive_glu(&activation, gate.doubles, up.doubles, &h, count)
      naive_glu_gradient(&activation, dh.doubles, gate.doubles, up.doubles, &dgate, &dup, count)
      onEveryVariant {
        var (result, first, second) = (unwritten(count), unwritten(count), unwritten(count))
        gk_glu(&activation, gate, up, &result, count)
        gk_glu_gradient(&activation, dh, gate, up, &first, &second, count)
        return [result, first, second]
      } check: { variant, results in
        #expect(relativeError(results[0], h) < 3e-7, "\(variant)")
        // 1 - sigmoid is as far off as sigmoid, and a gate of 10 multiplies it.
        #expect(relativeError(results[1], dgate) < 1e-6, "\(variant)")
        #expect(relativeError(results[2], dup) < 3e-7, "\(variant)")
      }
    }

    @Test(arguments: activations) func theEndsAreFiniteAndNaNIsNaN(activation: gk_activation) {
      onEveryVariant {
        var activation = activation
        let gate: [Float] = [-1000, -100, -88, 88, 100, 1000, .nan, 1]
        let up: [Float] = [1, 1, 1, 1, 1, 1, 1, .nan]
        let ones = [Float](repeating: 1, count: 8)
        var (h, dgate, dup) = (unwritten(8), unwritten(8), unwritten(8))
        gk_glu(&activation, gate, up, &h, 8)
        gk_glu_gradient(&activation, ones, gate, up, &dgate, &dup, 8)
        return [h, dgate, dup]
      } check: { variant, results in
        #expect(results[0].suffix(2).allSatisfy { $0.isNaN }, "\(variant)")
        let clamped = activation.unit == GK_CLAMPED
        let rounded = results.map { $0.prefix(6).map { $0.rounded() } }
        if clamped {
          #expect(rounded.joined().allSatisfy { $0.isFinite }, "\(variant)")
          #expect(rounded[1] == [0, 0, 0, 0, 0, 0], "\(variant)")
        } else {
          #expect(rounded == [[0, 0, 0, 88, 100, 1000], [0, 0, 0, 1, 1, 1], [0, 0, 0, 88, 100, 1000]], "\(variant)")
        }
      }
    }

    @Test(arguments: activations) func theGradientIsThatOfTheTwin(activation: gk_activation) {
      var (activation, numbers) = (activation, Numbers(seed: 5))
      // Away from the corners of the clamps.
      let gate = [-0.9, -0.2, 0.1, 0.3, 0.7, 2, 7.5, -8, 6.5]
      let up = [0.3, -0.2, 0.7, -0.9, -7.5, 0, 8, 0.1, -0.4]
      let dh = numbers.normals(9).doubles
      func loss(_ gate: [Double], _ up: [Double]) -> Double {
        var h = zeros(9)
        naive_glu(&activation, gate, up, &h, 9)
        return dot(h, dh)
      }
      var (dgate, dup) = (zeros(9), zeros(9))
      naive_glu_gradient(&activation, dh, gate, up, &dgate, &dup, 9)
      #expect(relativeError(dgate, centralDifferences(gate) { loss($0, up) }) < 1e-8)
      #expect(relativeError(dup, centralDifferences(up) { loss(gate, $0) }) < 1e-8)
    }

    @Test(arguments: activations, [(0, 5), (1, 1), (7, 33), (50, 100), (3, 577)])
    func theWeightedGradientEqualsItsTwin(activation: gk_activation, shape: (choices: Int, f: Int)) {
      var (activation, numbers) = (activation, Numbers(seed: 8))
      let (choices, f) = shape
      let (gate, up) = (numbers.normals(choices * f, deviation: 4), numbers.normals(choices * f, deviation: 3))
      let (dh, weights, slot) = (numbers.normals(choices * f), numbers.normals(choices), numbers.permutation(choices))
      var (h, dgate, dup, dweights) = (dh.doubles, gate.doubles, up.doubles, zeros(choices))
      naive_weighted_glu_gradient(&activation, slot, weights.doubles, &h, &dgate, &dup, &dweights, choices, f)
      onEveryVariant {
        // In place, and from rows in the order of the choices.
        var (first, second, third, sums) = (dh, gate, up, unwritten(choices))
        second.withUnsafeMutableBufferPointer { gate in
          third.withUnsafeMutableBufferPointer { up in
            guard let gate = gate.baseAddress, let up = up.baseAddress else { return }
            gk_weighted_glu_gradient(&activation, slot, weights, gate, up, slot, &first, gate, up, &sums, choices, f)
          }
        }
        func chosen(_ x: [Float]) -> [Float] { slot.flatMap { x[Int($0) * f..<(Int($0) + 1) * f] } }
        let order = (0..<Int32(choices)).map { $0 }
        var others = (dh, unwritten(choices * f), unwritten(choices * f), unwritten(choices))
        gk_weighted_glu_gradient(
          &activation, slot, weights, chosen(gate), chosen(up), order, &others.0, &others.1, &others.2, &others.3,
          choices,
          f)
        let areSame = [first, second, third, sums] == [others.0, others.1, others.2, others.3]
        #expect(areSame)
        return [first, second, third, sums]
      } check: { variant, results in
        // Of one number there is no larger one beside it: a gelu near 0 is what is left of a cancellation.
        #expect(relativeError(results[0], h) < 1e-6, "\(variant)")
        #expect(relativeError(results[1], dgate) < 2e-6, "\(variant)")
        #expect(relativeError(results[2], dup) < 1e-6, "\(variant)")
        #expect(relativeError(results[3], dweights) < 2e-6, "\(variant)")
      }
    }

    @Test(arguments: activations) func theWeightedGradientIsThatOfItsTwin(activation: gk_activation) {
      var (activation, numbers) = (activation, Numbers(seed: 9))
      let (gate, up) = ([-0.9, -0.2, 0.1, 0.3, 0.7, 2, 7.5, -8, 6.5], [0.3, -0.2, 0.7, -0.9, -7.5, 0, 8, 0.1, -0.4])
      let (dh, weights, slot): ([Double], [Double], [Int32]) = (
        numbers.normals(9).doubles, numbers.normals(3).doubles, [1, 2, 0]
      )
      func loss(_ gate: [Double], _ up: [Double], _ weights: [Double]) -> Double {
        var h = zeros(9)
        naive_glu(&activation, gate, up, &h, 9)
        return (0..<3).reduce(0) { sum, choice in
          let row = Int(slot[choice]) * 3
          return sum + weights[choice] * dot(Array(h[row..<row + 3]), Array(dh[row..<row + 3]))
        }
      }
      var (h, dgate, dup, dweights) = (dh, gate, up, zeros(3))
      naive_weighted_glu_gradient(&activation, slot, weights, &h, &dgate, &dup, &dweights, 3, 3)
      #expect(relativeError(dgate, centralDifferences(gate) { loss($0, up, weights) }) < 1e-8)
      #expect(relativeError(dup, centralDifferences(up) { loss(gate, $0, weights) }) < 1e-8)
      #expect(relativeError(dweights, centralDifferences(weights) { loss(gate, up, $0) }) < 1e-8)
      var plain = zeros(9)
      naive_glu(&activation, gate, up, &plain, 9)
      for choice in 0..<3 {
        for i in Int(slot[choice]) * 3..<Int(slot[choice]) * 3 + 3 { #expect(h[i] == weights[choice] * plain[i]) }
      }
    }

    @Test(arguments: [(0, 5), (1, 1), (7, 33), (50, 100), (3, 577)]) func gatedRowsEqualTheirTwin(t: Int, c: Int) {
      var numbers = Numbers(seed: 6)
      let (x, gate, dy) = (numbers.normals(t * c), numbers.normals(t, deviation: 3), numbers.normals(t * c))
      var (y, dx, dgate) = (zeros(t * c), zeros(t * c), zeros(t))
      naive_gate_rows(x.doubles, gate.doubles, &y, t, c)
      naive_gate_rows_gradient(dy.doubles, x.doubles, gate.doubles, &dx, &dgate, t, c)
      onEveryVariant {
        var (result, first, second) = (unwritten(t * c), unwritten(t * c), unwritten(t))
        gk_gate_rows(x, gate, &result, t, c)
        first = x  // in place
        first.withUnsafeMutableBufferPointer { dx in
          guard let start = dx.baseAddress else { return }
          gk_gate_rows_gradient(dy, start, gate, start, &second, t, c)
        }
        return [result, first, second]
      } check: { variant, results in
        #expect(relativeError(results[0], y) < 2e-7, "\(variant)")
        #expect(relativeError(results[1], dx) < 2e-7, "\(variant)")
        #expect(relativeError(results[2], dgate) < 1e-6, "\(variant)")
      }
    }

    @Test func gatedRowsGradientIsThatOfTheirTwin() {
      var numbers = Numbers(seed: 7)
      let (x, gate, dy) = (numbers.normals(12).doubles, numbers.normals(3).doubles, numbers.normals(12).doubles)
      func loss(_ x: [Double], _ gate: [Double]) -> Double {
        var y = zeros(12)
        naive_gate_rows(x, gate, &y, 3, 4)
        return dot(y, dy)
      }
      var (dx, dgate) = (zeros(12), zeros(3))
      naive_gate_rows_gradient(dy, x, gate, &dx, &dgate, 3, 4)
      #expect(relativeError(dx, centralDifferences(x) { loss($0, gate) }) < 1e-8)
      #expect(relativeError(dgate, centralDifferences(gate) { loss(x, $0) }) < 1e-8)
    }
  }
}
