import CKernels
import Testing

extension KernelSuite {
  @Suite struct RouterTests {
    static let rules = [
      gk_routing(1, 1), gk_routing(5, 2), gk_routing(8, 2, normalize: true), gk_routing(64, 6, groups: 8, kept: 3),
      gk_routing(130, 8), gk_routing(5, 2, scoring: GK_SIGMOID), gk_routing(16, 4, scoring: GK_SIGMOID),
      gk_routing(67, 6, scoring: GK_SIGMOID, normalize: true, scale: 2.446),
    ]

    /// Segments of 3 rows, none, 1, and the rest.
    static func offsets(_ t: Int) -> [Int32] { [0, 3, 3, 4, Int32(t)] }

    static func segment(_ t: Int) -> [Int32] {
      (0..<t).map { row in Int32(offsets(t).dropFirst().firstIndex { row < $0 }! - 1) }
    }

    @Test(arguments: rules, [4, 9, 300]) func sumsAndGradientEqualTheirTwins(rule: gk_routing, t: Int) {
      var (rule, numbers) = (rule, Numbers(seed: 1))
      let (e, k, s) = (rule.e, rule.k, 4)
      let (offsets, segment) = (Self.offsets(t), Self.segment(t))
      let logits = numbers.normals(t * e, deviation: 3)
      let (balance, z) = (numbers.normals(s * e), numbers.normals(s, deviation: 0.2))
      let started = numbers.normals(t * e)
      var (probability, squares) = (zeros(s * e), zeros(s))
      naive_router_sums(&rule, logits.doubles, offsets, &probability, &squares, s)
      var gradient = started.doubles
      naive_router_loss_gradient(&rule, logits.doubles, segment, balance.doubles, z.doubles, &gradient, t)
      onEveryVariant {
        var (scores, weights, lse) = (unwritten(t * e), unwritten(t * k), unwritten(t))
        var experts = [Int32](repeating: -1, count: t * k)
        gk_route(&rule, logits, nil, &scores, &experts, &weights, t)
        gk_log_softmax(logits, nil, 1, nil, nil, &lse, nil, t, e)
        var chosen = [Int32](repeating: -1, count: s * e)
        var (p, z2) = ([Double](repeating: .nan, count: s * e), [Double](repeating: .nan, count: s))
        gk_router_sums(&rule, scores, lse, experts, offsets, &chosen, &p, &z2, s)
        var dlogits = started
        gk_router_loss_gradient(&rule, logits, scores, lse, segment, balance, z, &dlogits, t)
        let counted = (0..<s * e).map { index in
          Float((0..<t * k).count { segment[$0 / k] == index / e && experts[$0] == index % e })
        }
        #expect(chosen.map { Float($0) } == counted)
        return [p.map { Float($0) }, z2.map { Float($0) }, dlogits]
      } check: { variant, results in
        #expect(relativeError(results[0], probability) < 3e-7, "\(variant)")
        #expect(relativeError(results[1], squares) < 5e-7, "\(variant)")
        #expect(relativeError(results[2], gradient) < 1e-6, "\(variant)")
      }
    }

    @Test(arguments: [GK_SOFTMAX, GK_SIGMOID]) func theGradientIsThatOfTheSums(scoring: gk_scoring) {
      var numbers = Numbers(seed: 2)
      let (t, e, s) = (6, 5, 4)
      var rule = gk_routing(e, 2, scoring: scoring)
      let (offsets, segment) = (Self.offsets(t), Self.segment(t))
      let logits = numbers.normals(t * e, deviation: 2).doubles
      let (balance, z) = (numbers.normals(s * e).doubles, numbers.normals(s).doubles)
      func loss(_ logits: [Double]) -> Double {
        var (probability, squares) = (zeros(s * e), zeros(s))
        naive_router_sums(&rule, logits, offsets, &probability, &squares, s)
        return dot(probability, balance) + dot(squares, z)
      }
      var gradient = zeros(t * e)
      naive_router_loss_gradient(&rule, logits, segment, balance, z, &gradient, t)
      #expect(relativeError(gradient, centralDifferences(logits, loss)) < 1e-8)
    }

    /// Sigmoids of very small logits are 0, and so are their sums.
    @Test func noScoreAtAllIsNoGradient() {
      onEveryVariant {
        var rule = gk_routing(3, 1, scoring: GK_SIGMOID)
        var dlogits: [Float] = [1, 2, 3]
        gk_router_loss_gradient(&rule, [-200, -200, -200], [0, 0, 0], [-198.9], [0], [1, 0, 0], [0], &dlogits, 1)
        return [dlogits]
      } check: { variant, results in
        #expect(results == [[1, 2, 3]], "\(variant)")
      }
    }
  }
}
