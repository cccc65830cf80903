import CKernels
import Testing

extension gk_routing {
  init(
    _ e: Int, _ k: Int, scoring: gk_scoring = GK_SOFTMAX, groups: Int = 1, kept: Int = 1, byTwo: Bool = false,
    normalize: Bool = false, epsilon: Float = 0, scale: Float = 1
  ) {
    self.init(
      e: e, k: k, scoring: scoring, groups: groups, groups_kept: kept, by_two: byTwo, normalize: normalize,
      epsilon: epsilon, scale: scale)
  }
}

extension KernelSuite {
  @Suite struct ExpertsTests {
    static let rules = [
      gk_routing(4, 2), gk_routing(1, 1), gk_routing(3, 3, normalize: true), gk_routing(8, 2, normalize: true),
      gk_routing(60, 4), gk_routing(128, 8, normalize: true), gk_routing(8, 3, groups: 4, kept: 2, scale: 16),
      gk_routing(64, 6, groups: 8, kept: 3, normalize: true),
      gk_routing(5, 2, scoring: GK_SIGMOID), gk_routing(64, 6, scoring: GK_SIGMOID, normalize: true, scale: 2.446),
      gk_routing(
        256, 8, scoring: GK_SIGMOID, groups: 8, kept: 4, byTwo: true, normalize: true, epsilon: 1e-20, scale: 2.5),
      gk_routing(12, 4, scoring: GK_SIGMOID, groups: 3, kept: 2, byTwo: true, normalize: true, epsilon: 0.25),
    ]

    @Test(arguments: rules, [0, 2, 9, 300]) func routingAndItsGradientEqualTheirTwins(rule: gk_routing, t: Int) {
      var (rule, numbers) = (rule, Numbers(seed: 1))
      let (e, k) = (rule.e, rule.k)
      let (logits, bias) = (numbers.normals(t * e, deviation: 2), numbers.normals(e, deviation: 0.1))
      let dweights = numbers.normals(t * k)
      for bias in [nil, bias] {
        onEveryVariant {
          var (scores, weights) = (unwritten(t * e), unwritten(t * k))
          var experts = [Int32](repeating: -1, count: t * k)
          gk_route(&rule, logits, bias, &scores, &experts, &weights, t)
          var dlogits = unwritten(t * e)
          gk_route_gradient(&rule, dweights, scores, experts, weights, &dlogits, t)
          return [scores, weights, experts.map { Float($0) }, dlogits]
        } check: { variant, results in
          guard t > 0 else { return }
          let experts = results[2].map { Int32($0) }
          var chosen = [Int32](repeating: -1, count: t * k)
          naive_route_choice(&rule, results[0].doubles, bias?.doubles, &chosen, t)
          #expect(experts == chosen, "\(variant)")
          var (scores, weights) = (zeros(t * e), zeros(t * k))
          naive_route_weights(&rule, logits.doubles, experts, &scores, &weights, t)
          #expect(relativeError(results[0], scores) < 3e-7, "\(variant)")
          #expect(relativeError(results[1], weights) < 5e-7, "\(variant)")
          var dlogits = zeros(t * e)
          naive_route_gradient(&rule, dweights.doubles, logits.doubles, experts, &dlogits, t)
          // Of one expert, all gradients are 0 but for rounding. 1 - sigmoid is as far off as a sigmoid nearly 1.
          let tolerance = e == 1 ? .infinity : rule.scoring == GK_SOFTMAX ? 1e-6 : 3e-6
          #expect(relativeError(results[3], dlogits) < tolerance, "\(variant)")
        }
      }
    }

    @Test(arguments: [GK_SOFTMAX, GK_SIGMOID], [false, true])
    func theRoutersGradientIsThatOfItsTwin(scoring: gk_scoring, normalize: Bool) {
      var numbers = Numbers(seed: 2)
      let (t, e, k) = (3, 6, 2)
      var rule = gk_routing(e, k, scoring: scoring, normalize: normalize, epsilon: 0.125, scale: 1.5)
      let logits = numbers.normals(t * e).doubles
      let dweights = numbers.normals(t * k).doubles
      let experts: [Int32] = [0, 3, 1, 2, 4, 5]
      func loss(_ logits: [Double]) -> Double {
        var (scores, weights) = (zeros(t * e), zeros(t * k))
        naive_route_weights(&rule, logits, experts, &scores, &weights, t)
        return dot(weights, dweights)
      }
      var dlogits = zeros(t * e)
      naive_route_gradient(&rule, dweights, logits, experts, &dlogits, t)
      #expect(relativeError(dlogits, centralDifferences(logits, loss)) < 1e-8)
    }

    @Test func tiesGoToTheLowerExpertAndExpertsAscend() {
      onEveryVariant {
        var rule = gk_routing(5, 2, normalize: true)
        var (scores, weights, experts) = (unwritten(15), unwritten(6), [Int32](repeating: -1, count: 6))
        let logits: [Float] = [1, 1, 1, 1, 1] + [0, 2, 0, 2, 2] + [3, 0, 1, 0, 3]
        gk_route(&rule, logits, nil, &scores, &experts, &weights, 3)
        return [weights, experts.map { Float($0) }]
      } check: { variant, results in
        #expect(results[1] == [0, 1, 1, 3, 0, 4], "\(variant)")
        #expect(results[0] == [Float](repeating: 0.5, count: 6), "\(variant)")
      }
    }

    @Test func groupsTieToTheLowerAndCountTheirBestOrTheirTwoBest() {
      // The best expert is in group 1; the best two are in group 2; groups 0 and 2 are as good in their best.
      let logits: [Float] = [1, -1, 2, -2, 1, 0]
      for (byTwo, kept, expected) in [(false, 1, [2, 3]), (true, 1, [4, 5]), (false, 2, [0, 2])]
        as [(Bool, Int, [Float])]
      {
        onEveryVariant {
          var rule = gk_routing(6, 2, scoring: GK_SIGMOID, groups: 3, kept: kept, byTwo: byTwo)
          var (scores, weights, experts) = (unwritten(6), unwritten(2), [Int32](repeating: -1, count: 2))
          gk_route(&rule, logits, nil, &scores, &experts, &weights, 1)
          return [experts.map { Float($0) }]
        } check: { variant, results in
          #expect(results[0] == expected, "\(variant) by two \(byTwo)")
        }
      }
    }

    @Test func theCorrectionChoosesButDoesNotWeigh() {
      onEveryVariant {
        var rule = gk_routing(3, 1, scoring: GK_SIGMOID)
        var (scores, weights, experts) = (unwritten(3), unwritten(1), [Int32](repeating: -1, count: 1))
        gk_route(&rule, [3, 0, 1], [0, 1, 0], &scores, &experts, &weights, 1)
        return [weights, experts.map { Float($0) }]
      } check: { variant, results in
        #expect(results == [[0.5], [1]], "\(variant)")
      }
    }

    @Test func expertsAreDistinctEvenAmongNaN() {
      onEveryVariant {
        var rule = gk_routing(6, 3, groups: 2, kept: 1, normalize: true)
        var (scores, weights, experts) = (unwritten(6), unwritten(3), [Int32](repeating: -1, count: 3))
        gk_route(&rule, [1, .nan, 2, 3, .nan, 0], nil, &scores, &experts, &weights, 1)
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
        let (x, weights, start) = (numbers.normals(t * k * c), numbers.normals(t * k), numbers.normals(t * c))
        let slot = numbers.permutation(t * k)
        var (y, gathered) = (zeros(t * c), zeros(t * c))
        naive_combine(x.doubles, slot, weights.doubles, &y, t, k, c)
        naive_combine(x.doubles, slot, [Double](repeating: 1, count: t * k), &gathered, t, k, c)
        for i in gathered.indices { gathered[i] += Double(start[i]) }
        onEveryVariant {
          var (result, sum) = (unwritten(t * c), start)
          gk_combine(x, slot, weights, &result, t, k, c)
          gk_ungather_add(x, slot, &sum, t, k, c)
          return [result, sum]
        } check: { variant, results in
          for (result, twin) in zip(results, [y, gathered]) {
            #expect(relativeError(result, twin) < 1e-6, "\(variant) \(t) \(k)")
          }
        }
      }
    }

    @Test(arguments: [1, 5, 16, 64, 100, 577]) func theBiasesGradientsEqualTheirTwins(c: Int) {
      var numbers = Numbers(seed: 5)
      for (choices, e) in [(0, 3), (1, 1), (18, 4), (280, 7)] {
        let (dy, bias) = (numbers.normals(choices * c), numbers.normals(e * c))
        let (weights, before) = (numbers.normals(choices), numbers.normals(choices))
        let (slot, experts) = (numbers.permutation(choices), numbers.indices(choices, below: e))
        var (weighted, dweights) = (dy.doubles, before.doubles)
        naive_expert_bias_gradient(&weighted, slot, experts, weights.doubles, bias.doubles, &dweights, choices, c)
        onEveryVariant {
          var (rows, sums) = (dy, before)
          gk_expert_bias_gradient(&rows, slot, experts, weights, bias, &sums, choices, c)
          return [rows, sums]
        } check: { variant, results in
          #expect(relativeError(results[0], weighted) < 1e-7, "\(variant) \(choices)")
          #expect(relativeError(results[1], dweights) < 2e-6, "\(variant) \(choices)")
        }
      }
    }

    /// Σ weights[i] · dy[slot[i]] · bias[experts[i]] is what a bias adds to a loss with derivatives dy.
    @Test func theBiasesGradientsAreThoseOfTheirTwin() {
      var numbers = Numbers(seed: 6)
      let (choices, e, c) = (4, 3, 3)
      let (slot, experts): ([Int32], [Int32]) = ([2, 0, 1, 3], [1, 2, 0, 1])
      let (dy, bias) = (numbers.normals(choices * c).doubles, numbers.normals(e * c).doubles)
      let weights = numbers.normals(choices).doubles
      func loss(_ bias: [Double], _ weights: [Double]) -> Double {
        (0..<choices).reduce(0) { sum, i in
          let (row, expert) = (Int(slot[i]) * c, Int(experts[i]) * c)
          return sum + weights[i] * dot(Array(dy[row..<row + c]), Array(bias[expert..<expert + c]))
        }
      }
      var (weighted, dweights) = (dy, zeros(choices))
      naive_expert_bias_gradient(&weighted, slot, experts, weights, bias, &dweights, choices, c)
      var dbias = zeros(e * c)
      for i in 0..<choices {
        for j in 0..<c { dbias[Int(experts[i]) * c + j] += weighted[Int(slot[i]) * c + j] }
      }
      #expect(relativeError(dbias, centralDifferences(bias) { loss($0, weights) }) < 1e-10)
      #expect(relativeError(dweights, centralDifferences(weights) { loss(bias, $0) }) < 1e-10)
    }
  }
}
