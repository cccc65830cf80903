import CKernels
import Foundation
import Testing

extension KernelSuite {
  /// gk_sample: which tokens the filters keep, with which probabilities, and the draw as the inverse of their sums.
  @Suite struct SamplingTests {
    private func draw(_ logits: [Float], _ sampling: gk_sampling, u: Double) -> (token: Int, logp: Float) {
      var (sampling, token, logp) = (sampling, Int32(-1), Float.nan)
      gk_sample(logits, &sampling, [u], &token, &logp, 1, logits.count)
      return (Int(token), logp)
    }

    /// Draws at both ends and in the middle of the stretch of each token that `probabilities` keeps.
    private func expectDraws(_ logits: [Float], _ sampling: gk_sampling, _ probabilities: [Double], _ variant: String) {
      var before = 0.0
      for (token, p) in probabilities.enumerated() where p > 0 {
        // Wide enough to be told from rounding, u at 1e-6 from the edges and in the middle.
        for u in p > 1e-5 ? [before + 1e-6, before + p / 2, before + p - 1e-6] : [before + p / 2] {
          let drawn = draw(logits, sampling, u: u)
          if p > 1e-5 { #expect(drawn.token == token, "\(variant) \(sampling)") }
          if drawn.token == token { #expect(abs(Double(drawn.logp) - log(p)) < 2e-6, "\(variant) \(sampling)") }
        }
        before += p
      }
    }

    /// What transformers 5.23 keeps:
    ///
    ///     s = torch.tensor([[1.0, 3.0, 2.5, 3.0, -1.0, 0.5, 2.0, -4.0, 2.5, 1.5, 0.0, 2.75]])
    ///     s = TemperatureLogitsWarper(t)(None, s); s = TopKLogitsWarper(k)(None, s)
    ///     s = TopPLogitsWarper(p)(None, s); s = MinPLogitsWarper(m)(None, s)
    ///     torch.softmax(s, -1)
    @Test func theFiltersKeepWhatTransformersKeeps() {
      let logits: [Float] = [1.0, 3.0, 2.5, 3.0, -1.0, 0.5, 2.0, -4.0, 2.5, 1.5, 0.0, 2.75]
      let cases: [(gk_sampling, [Double])] = [
        (
          gk_sampling(temperature: 1, top_k: 0, top_p: 1, min_p: 0),
          [
            0.0277935, 0.2053681, 0.124562, 0.2053681, 0.0037614, 0.0168576, 0.0755507, 0.0001873, 0.124562,
            0.0458238, 0.0102247, 0.1599408,
          ]
        ),
        (
          gk_sampling(temperature: 0.7, top_k: 4, top_p: 1, min_p: 0),
          [0, 0.271831, 0.1330726, 0.271831, 0, 0, 0, 0, 0.1330726, 0, 0, 0.1901927]
        ),
        (
          gk_sampling(temperature: 1.3, top_k: 0, top_p: 0.8, min_p: 0),
          [0, 0.2150608, 0.1463946, 0.2150608, 0, 0, 0.0996526, 0, 0.1463946, 0, 0, 0.1774366]
        ),
        (
          gk_sampling(temperature: 1, top_k: 0, top_p: 1, min_p: 0.3),
          [0, 0.2293714, 0.1391208, 0.2293714, 0, 0, 0.084381, 0, 0.1391208, 0, 0, 0.1786346]
        ),
        (
          gk_sampling(temperature: 0.9, top_k: 5, top_p: 0.9, min_p: 0.6),
          [0, 0.3626519, 0, 0.3626519, 0, 0, 0, 0, 0, 0, 0, 0.2746962]
        ),
        (
          gk_sampling(temperature: 1, top_k: 1, top_p: 1, min_p: 0),
          [0, 0.5, 0, 0.5, 0, 0, 0, 0, 0, 0, 0, 0]
        ),
        (
          gk_sampling(temperature: 2, top_k: 11, top_p: 0.97, min_p: 0.2),
          [
            0.0575125, 0.1563352, 0.121754, 0.1563352, 0, 0.0447908, 0.0948221, 0, 0.121754, 0.0738475, 0.0348831,
            0.1379654,
          ]
        ),
      ]
      for variant in variants {
        with(variant: variant) {
          for (sampling, kept) in cases {
            var twin = zeros(logits.count)
            var settings = sampling
            naive_sampling(logits.doubles, logits.count, &settings, &twin)
            #expect(relativeError(twin, kept) < 1e-6)
            expectDraws(logits, sampling, twin, variant)
          }
        }
      }
    }

    @Test func theFiltersKeepWhatTheTwinKeeps() {
      for variant in variants {
        with(variant: variant) {
          for seed in UInt64(0)..<60 {
            var numbers = Numbers(seed: seed)
            let v = 1 + numbers.below(200)
            var logits = numbers.normals(v, deviation: 2)
            // Ties, also at the filters' edges, and tokens that are ruled out.
            if seed % 3 == 0 { logits = logits.map { ($0 * 2).rounded() / 2 } }
            if seed % 4 == 0 { for i in 1..<max(v, 2) where numbers.below(5) == 0 && i < v { logits[i] = -.infinity } }
            var sampling = gk_sampling(
              temperature: [0.3, 0.7, 1, 1.5][numbers.below(4)], top_k: Int32([0, 1, 5, 50, 300][numbers.below(5)]),
              top_p: [1, 0.999, 0.9, 0.5, 0.1][numbers.below(5)], min_p: [0, 0.01, 0.1, 0.9][numbers.below(4)])
            var kept = zeros(v)
            naive_sampling(logits.doubles, v, &sampling, &kept)
            expectDraws(logits, sampling, kept, variant)
          }
        }
      }
    }

    @Test func aWholeVocabularyIsFilteredAsTheTwinFiltersIt() {
      var numbers = Numbers(seed: 9)
      let v = 49_152
      let logits = numbers.normals(v, deviation: 3)
      for variant in variants {
        with(variant: variant) {
          for (k, p, m): (Int32, Float, Float) in [(50, 0.9, 0), (0, 0.7, 0), (20_000, 0.99, 0.001), (0, 1, 0)] {
            var sampling = gk_sampling(temperature: 0.8, top_k: k, top_p: p, min_p: m)
            var kept = zeros(v)
            naive_sampling(logits.doubles, v, &sampling, &kept)
            for _ in 0..<20 {
              let u = Double(numbers.next() >> 11) * 0x1p-53
              var (cumulative, expected) = (0.0, 0)
              while cumulative + kept[expected] <= u {
                cumulative += kept[expected]
                expected += 1
              }
              let drawn = draw(logits, sampling, u: u)
              #expect(drawn.token == expected, "\(variant) \(sampling)")
              #expect(abs(Double(drawn.logp) - log(kept[expected])) < 2e-6, "\(variant) \(sampling)")
            }
          }
        }
      }
    }

    @Test func equalLogitsKeepTheLowerIndices() {
      let logits = [Float](repeating: 2.5, count: 1000)
      for variant in variants {
        with(variant: variant) {
          let all = gk_sampling(temperature: 1, top_k: 3, top_p: 1, min_p: 1)
          #expect(draw(logits, all, u: 0.9995).token == 999)
          let tenth = gk_sampling(temperature: 1, top_k: 0, top_p: 0.1, min_p: 0)
          #expect(draw(logits, tenth, u: 0).token == 0)
          // The float 0.1 is a little more than a tenth: 101 tokens.
          #expect(draw(logits, tenth, u: 0.9999).token == 100)
          let none = gk_sampling(temperature: 1, top_k: 0, top_p: 0, min_p: 0)
          #expect(draw(logits, none, u: 0.9999).token == 0)
        }
      }
    }

    @Test func theEndsOfTheDraw() {
      let logits: [Float] = [-.infinity, 0, 0, -.infinity, 0, -.infinity]
      let sampling = gk_sampling(temperature: 1, top_k: 0, top_p: 1, min_p: 0)
      for variant in variants {
        with(variant: variant) {
          #expect(draw(logits, sampling, u: 0).token == 1)
          #expect(draw(logits, sampling, u: 1 - 0x1p-53).token == 4)
          var (settings, token) = (sampling, Int32(-1))
          gk_sample(logits, &settings, [0.5], &token, nil, 1, 6)
          #expect(token == 2)
        }
      }
    }

    /// Rows are drawn as each is drawn alone, with filters and without.
    @Test func manyRowsAreDrawnEachFromItsOwn() {
      var numbers = Numbers(seed: 3)
      let (rows, v) = (37, 601)
      let logits = numbers.normals(rows * v, deviation: 2)
      let u = (0..<rows).map { _ in Double(numbers.next() >> 11) * 0x1p-53 }
      for variant in variants {
        with(variant: variant) {
          for k in [Int32(0), 40] {
            var sampling = gk_sampling(temperature: 0.9, top_k: k, top_p: 1, min_p: 0)
            var (tokens, logp) = ([Int32](repeating: -1, count: rows), unwritten(rows))
            gk_sample(logits, &sampling, u, &tokens, &logp, rows, v)
            for row in 0..<rows {
              let alone = draw(Array(logits[row * v..<(row + 1) * v]), sampling, u: u[row])
              #expect(alone.token == Int(tokens[row]) && alone.logp == logp[row], "\(variant) row \(row)")
            }
          }
        }
      }
    }

    @Test func withoutAFiniteLogitThereIsStillAToken() {
      for variant in variants {
        with(variant: variant) {
          for (k, p, m): (Int32, Float, Float) in [(0, 1, 0), (2, 0.5, 0.1), (1, 1, 0), (0, 0.5, 0)] {
            let sampling = gk_sampling(temperature: 1, top_k: k, top_p: p, min_p: m)
            for logits: [Float] in [[.nan, .nan, .nan], [-.infinity, -.infinity], [0, .infinity, 1]] {
              let drawn = draw(logits, sampling, u: 0.5)
              #expect(drawn.token == (logits.contains(.infinity) ? 1 : 0))
              #expect(drawn.logp.isNaN)
            }
          }
        }
      }
    }

    @Test func aCoolerTemperatureThanFloatsReachIsGreedy() {
      for variant in variants {
        with(variant: variant) {
          let sampling = gk_sampling(temperature: 1e-30, top_k: 0, top_p: 1, min_p: 0)
          let drawn = draw([1, 3, 2.999, -4], sampling, u: 0.7)
          #expect(drawn.token == 1)
          #expect(drawn.logp == 0)
        }
      }
    }
  }
}
