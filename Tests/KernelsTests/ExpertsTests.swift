import CKernels
import Testing

extension KernelSuite {
  @Suite struct ExpertsTests {
    static let shapes = [(0, 4, 2), (1, 1, 1), (5, 3, 3), (9, 8, 2), (40, 60, 4), (300, 128, 8)]

    @Test(arguments: shapes) func routingAndItsGradientEqualTheirTwins(t: Int, e: Int, k: Int) {
      var numbers = Numbers(seed: 1)
      let logits = numbers.normals(t * e, deviation: 2)
      let (dweights, dprobabilities) = (numbers.normals(t * k), numbers.normals(t * e))
      for normalize in [false, true] {
        onEveryVariant {
          var (probabilities, weights) = (unwritten(t * e), unwritten(t * k))
          var experts = [Int32](repeating: -1, count: t * k)
          gk_route(logits, &probabilities, &experts, &weights, t, e, k, normalize)
          var (dlogits, withBoth) = (unwritten(t * e), unwritten(t * e))
          gk_route_gradient(dweights, nil, probabilities, experts, weights, &dlogits, t, e, k, normalize)
          gk_route_gradient(
            dweights, dprobabilities, probabilities, experts, weights, &withBoth, t, e, k, normalize)
          return [probabilities, weights, experts.map { Float($0) }, dlogits, withBoth]
        } check: { variant, results in
          guard t > 0 else { return }
          let experts = results[2].map { Int32($0) }
          var chosen = [Int32](repeating: -1, count: t * k)
          naive_route_choice(results[0].doubles, &chosen, t, e, k)
          #expect(experts == chosen, "\(variant)")
          var (probabilities, weights) = (zeros(t * e), zeros(t * k))
          naive_route_weights(logits.doubles, experts, &probabilities, &weights, t, e, k, normalize)
          #expect(relativeError(results[0], probabilities) < 3e-7, "\(variant)")
          #expect(relativeError(results[1], weights) < 5e-7, "\(variant)")
          var (dlogits, withBoth) = (zeros(t * e), zeros(t * e))
          naive_route_gradient(dweights.doubles, nil, logits.doubles, experts, &dlogits, t, e, k, normalize)
          naive_route_gradient(
            dweights.doubles, dprobabilities.doubles, logits.doubles, experts, &withBoth, t, e, k, normalize)
          // Of one expert, all gradients are 0 but for rounding.
          let tolerance = e == 1 ? .infinity : 1e-6
          #expect(relativeError(results[3], dlogits) < tolerance, "\(variant)")
          #expect(relativeError(results[4], withBoth) < tolerance, "\(variant)")
        }
      }
    }

    @Test(arguments: [false, true]) func theRoutersGradientIsThatOfItsTwin(normalize: Bool) {
      var numbers = Numbers(seed: 2)
      let (t, e, k) = (3, 6, 2)
      let logits = numbers.normals(t * e).doubles
      let (dweights, dprobabilities) = (numbers.normals(t * k).doubles, numbers.normals(t * e).doubles)
      let experts: [Int32] = [0, 3, 1, 2, 4, 5]
      func loss(_ logits: [Double]) -> Double {
        var (probabilities, weights) = (zeros(t * e), zeros(t * k))
        naive_route_weights(logits, experts, &probabilities, &weights, t, e, k, normalize)
        return dot(weights, dweights) + dot(probabilities, dprobabilities)
      }
      var dlogits = zeros(t * e)
      naive_route_gradient(dweights, dprobabilities, logits, experts, &dlogits, t, e, k, normalize)
      #expect(relativeError(dlogits, centralDifferences(logits, loss)) < 1e-8)
    }

    @Test func tiesGoToTheLowerExpertAndExpertsAscend() {
      onEveryVariant {
        var (probabilities, weights, experts) = (unwritten(15), unwritten(6), [Int32](repeating: -1, count: 6))
        let logits: [Float] = [1, 1, 1, 1, 1] + [0, 2, 0, 2, 2] + [3, 0, 1, 0, 3]
        gk_route(logits, &probabilities, &experts, &weights, 3, 5, 2, true)
        return [weights, experts.map { Float($0) }]
      } check: { variant, results in
        #expect(results[1] == [0, 1, 1, 3, 0, 4], "\(variant)")
        #expect(results[0] == [Float](repeating: 0.5, count: 6), "\(variant)")
      }
    }

    @Test func expertsAreDistinctEvenAmongNaN() {
      onEveryVariant {
        var (probabilities, weights, experts) = (unwritten(6), unwritten(3), [Int32](repeating: -1, count: 3))
        gk_route([1, .nan, 2, 3, .nan, 0], &probabilities, &experts, &weights, 1, 6, 3, true)
        return [experts.map { Float($0) }]
      } check: { variant, results in
        let experts = results[0].map { Int($0) }
        #expect(experts == experts.sorted() && Set(experts).count == 3, "\(variant)")
        #expect(experts.allSatisfy { (0..<6).contains($0) }, "\(variant)")
      }
    }

    @Test func choicesAreSortedByExpert() {
      var numbers = Numbers(seed: 3)
      for (t, e, k) in [(0, 3, 1), (1, 1, 1), (7, 5, 2), (100, 9, 3)] {
        // Expert 1, where there is one, gets nothing.
        let experts = (0..<t).flatMap { _ in
          var rest = Array(Int32(0)..<Int32(e)).filter { $0 != 1 }
          return (0..<k).map { _ in rest.remove(at: numbers.below(rest.count)) }.sorted()
        }
        var (offsets, token) = ([Int32](repeating: -1, count: e + 1), [Int32](repeating: -1, count: t * k))
        var slot = token
        gk_sort_by_expert(experts, &offsets, &token, &slot, t, e, k)
        let sorted = experts.indices.sorted { (experts[$0], $0) < (experts[$1], $1) }
        #expect(token == sorted.map { Int32($0 / k) })
        #expect(sorted.indices.allSatisfy { slot[sorted[$0]] == Int32($0) })
        #expect(offsets == (0...e).map { expert in Int32(experts.count { $0 < expert }) })
      }
    }

    @Test(arguments: [1, 5, 16, 64, 100, 577]) func combiningEqualsItsTwin(c: Int) {
      var numbers = Numbers(seed: 4)
      for (t, k) in [(0, 2), (1, 1), (9, 2), (70, 4)] {
        let (x, weights, dy) = (numbers.normals(t * k * c), numbers.normals(t * k), numbers.normals(t * c))
        var slot = Array(Int32(0)..<Int32(t * k))
        for i in slot.indices { slot.swapAt(i, i + numbers.below(slot.count - i)) }
        var (y, dx, dweights) = (zeros(t * c), zeros(t * k * c), zeros(t * k))
        naive_combine(x.doubles, slot, weights.doubles, &y, t, k, c)
        naive_combine_gradient(dy.doubles, x.doubles, slot, weights.doubles, &dx, &dweights, t, k, c)
        var gathered = dy.doubles
        naive_combine(x.doubles, slot, [Double](repeating: 1, count: t * k), &gathered, t, k, c)
        for i in gathered.indices { gathered[i] += Double(dy[i]) }
        onEveryVariant {
          var (result, first, second, sum) = (unwritten(t * c), unwritten(t * k * c), unwritten(t * k), dy)
          gk_combine(x, slot, weights, &result, t, k, c)
          gk_combine_gradient(dy, x, slot, weights, &first, &second, t, k, c)
          gk_ungather_add(x, slot, &sum, t, k, c)
          return [result, first, second, sum]
        } check: { variant, results in
          for (result, twin) in zip(results, [y, dx, dweights, gathered]) {
            #expect(relativeError(result, twin) < 1e-6, "\(variant) \(t) \(k)")
          }
        }
      }
    }

    @Test func combiningsGradientIsThatOfItsTwin() {
      var numbers = Numbers(seed: 5)
      let (t, k, c) = (2, 2, 3)
      let slot: [Int32] = [2, 0, 1, 3]
      let (x, weights) = (numbers.normals(t * k * c).doubles, numbers.normals(t * k).doubles)
      let dy = numbers.normals(t * c).doubles
      func loss(_ x: [Double], _ weights: [Double]) -> Double {
        var y = zeros(t * c)
        naive_combine(x, slot, weights, &y, t, k, c)
        return dot(y, dy)
      }
      var (dx, dweights) = (zeros(t * k * c), zeros(t * k))
      naive_combine_gradient(dy, x, slot, weights, &dx, &dweights, t, k, c)
      #expect(relativeError(dx, centralDifferences(x) { loss($0, weights) }) < 1e-10)
      #expect(relativeError(dweights, centralDifferences(weights) { loss(x, $0) }) < 1e-10)
    }
  }
}
