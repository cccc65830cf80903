import CKernels
import Foundation
import Testing

extension KernelSuite {
  @Suite struct AttentionTests {
    static let shapes = [
      AttentionCase(1, 1, 2), AttentionCase(4, 2, 16), AttentionCase(9, 3, 64), AttentionCase(8, 1, 32),
      AttentionCase(3, 3, 80), AttentionCase(2, 1, 128), AttentionCase(5, 1, 6), AttentionCase(6, 2, 18),
      AttentionCase(14, 2, 34), AttentionCase(4, 2, 24, u: 16), AttentionCase(3, 1, 20, u: 33),
      AttentionCase(2, 2, 8, window: 1), AttentionCase(3, 3, 16, window: 2), AttentionCase(6, 2, 16, window: 7),
      AttentionCase(5, 1, 6, window: 40), AttentionCase(4, 1, 16, window: 1000), AttentionCase(4, 2, 16, sinks: true),
      AttentionCase(4, 2, 16, softcap: 2), AttentionCase(6, 2, 18, u: 7, window: 11, softcap: 1, sinks: true),
    ]

    @Test(arguments: shapes) func attentionAndItsGradientEqualTheirTwins(empty: AttentionCase) {
      var numbers = Numbers(seed: UInt64(empty.shape.d))
      let example = empty.tree(&numbers)
      equalsItsTwins(example, gradientWithin: 1e-6)
    }

    /// Thousands of keys, in many runs: a prompt, and a branch of it.
    @Test(arguments: [AttentionCase(2, 1, 8), AttentionCase(2, 1, 8, window: 1500)])
    func longContexts(empty: AttentionCase) {
      var (numbers, example) = (Numbers(seed: 19), empty)
      example.addSegment(rows: 3000)
      example.addSegment(rows: 1096, prefix: [0..<3000])
      example.endTree()
      example.fill(&numbers)
      equalsItsTwins(example, gradientWithin: 4e-6)
    }

    private func equalsItsTwins(_ example: AttentionCase, gradientWithin allowed: Double) {
      let (forward, gradient) = (example.twinForward(), example.twinGradient())
      onEveryVariant {
        let results = example.forward()
        return results + example.gradient(out: results[0], lse: results[1])
      } check: { variant, results in
        for (result, twin) in zip(results, forward) { #expect(relativeError(result, twin) < 5e-7, "\(variant)") }
        for (result, twin) in zip(results.dropFirst(2), gradient) {
          #expect(relativeError(result, twin) < allowed, "\(variant)")
        }
      }
    }

    @Test(arguments: [
      AttentionCase(2, 1, 4), AttentionCase(2, 1, 4, u: 3, window: 3, softcap: 1.5, sinks: true),
    ])
    func theGradientIsThatOfTheTwin(empty: AttentionCase) {
      var (numbers, example) = (Numbers(seed: 7), empty)
      example.addSegment(rows: 3)
      example.addSegment(rows: 2, prefix: [0..<3])
      example.endTree()
      example.fill(&numbers)
      let (q, k, v, sinks) = (example.q.doubles, example.k.doubles, example.v.doubles, example.sinks?.doubles)
      func loss(_ q: [Double], _ k: [Double], _ v: [Double], _ sinks: [Double]?) -> Double {
        dot(example.twinForward(q, k, v, sinks)[0], example.dout.doubles)
      }
      let gradient = example.twinGradient()
      #expect(relativeError(gradient[0], centralDifferences(q) { loss($0, k, v, sinks) }) < 1e-8)
      #expect(relativeError(gradient[1], centralDifferences(k) { loss(q, $0, v, sinks) }) < 1e-8)
      #expect(relativeError(gradient[2], centralDifferences(v) { loss(q, k, $0, sinks) }) < 1e-8)
      if let sinks {
        let differences = centralDifferences(sinks) { loss(q, k, v, $0) }
        #expect(relativeError(gradient[3].map { $0 - 1 }, differences) < 1e-8)
      }
    }

    /// Each sequence of the tree alone, as one segment over rows of its own: the same bits.
    @Test(arguments: shapes) func aTreeGivesTheBitsOfItsSequencesAlone(empty: AttentionCase) {
      for seed in UInt64(0)..<6 {
        var numbers = Numbers(seed: seed * 100 + UInt64(empty.shape.d))
        let tree = empty.tree(&numbers)
        for variant in variants {
          with(variant: variant) {
            let together = tree.forward()
            for segment in tree.segments {
              expectAlone(segment, of: tree, equals: together, variant)
            }
          }
        }
      }
    }

    /// Runs the whole sequence that ends with `segment` in one piece, and compares the segment's rows.
    private func expectAlone(
      _ segment: gk_segment, of tree: AttentionCase, equals together: [[Float]], _ variant: String
    ) {
      let (h, g, d, u) = (tree.shape.h, tree.shape.g, tree.shape.d, tree.shape.u)
      var rows: [Int] = []
      for span in tree.spans[Int(segment.span)..<Int(segment.span + segment.spans)] {
        rows += (0..<Int(span.rows)).map { Int(span.row) - AttentionCase.shift + $0 }
      }
      let prefix = rows.count
      rows += Int(segment.row)..<Int(segment.row + segment.rows)
      func part(_ x: [Float], _ width: Int, shift: Int = 0) -> [Float] {
        x.prefix(shift * width) + rows.flatMap { x[($0 + shift) * width..<($0 + shift + 1) * width] }
      }
      var alone = tree
      (alone.rows, alone.segments, alone.spans) = (0, [], [])
      alone.addSegment(rows: rows.count)
      alone.q = part(tree.q, h * d)
      alone.k = part(tree.k, g * d, shift: AttentionCase.shift)
      alone.v = part(tree.v, g * u, shift: AttentionCase.shift)
      let results = alone.forward()
      for i in prefix..<rows.count {
        let (from, to) = (rows[i], rows[i] + 1)
        #expect(
          results[0][i * h * u..<(i + 1) * h * u].map(\.bitPattern)
            == together[0][from * h * u..<to * h * u].map(\.bitPattern), "\(variant), row \(i)")
        #expect(
          results[1][i * h..<(i + 1) * h].map(\.bitPattern) == together[1][from * h..<to * h].map(\.bitPattern),
          "\(variant), row \(i)")
      }
    }

    /// The whole of a long sequence against the same one token by token, its cache cut into spans at random.
    @Test(arguments: [
      AttentionCase(6, 2, 48), AttentionCase(6, 2, 16, window: 37), AttentionCase(3, 3, 20, window: 5, sinks: true),
      AttentionCase(4, 1, 24, u: 20, window: 130, softcap: 5),
    ])
    func decodingGivesTheBitsOfThePrefill(empty: AttentionCase) {
      var numbers = Numbers(seed: 11)
      let length = 150
      var prefill = empty
      prefill.addSegment(rows: length)
      prefill.fill(&numbers)
      var decode = prefill
      (decode.segments, decode.spans) = ([], [])
      for row in 0..<length {
        var cuts = [0, row]
        for _ in 0..<numbers.below(4) { cuts.append(numbers.below(row + 1)) }
        cuts.sort()
        decode.addSegment(row..<row + 1, prefix: zip(cuts, cuts.dropFirst()).map { $0..<$1 })
      }
      for variant in variants {
        with(variant: variant) {
          #expect(prefill.forward().map(\.bits) == decode.forward().map(\.bits), "\(variant)")
        }
      }
    }

    /// More keys than a block of them, more queries than walk one together.
    @Test(arguments: [
      AttentionCase(4, 2, 16), AttentionCase(3, 1, 20, u: 9, window: 140), AttentionCase(6, 2, 8, sinks: true),
    ])
    func longSequencesEqualTheirTwins(empty: AttentionCase) {
      var (numbers, example) = (Numbers(seed: 21), empty)
      example.addSegment(rows: 170)
      example.addSegment(rows: 135, prefix: [0..<170])
      example.endTree()
      example.fill(&numbers)
      equalsItsTwins(example, gradientWithin: 4e-6)
    }

    @Test func whatAQueryCannotSeeDoesNotReachIt() {
      var numbers = Numbers(seed: 12)
      var example = AttentionCase(3, 1, 16)
      example.addSegment(rows: 21)
      example.fill(&numbers)
      for variant in variants {
        with(variant: variant) {
          let before = example.forward()[0]
          var changed = example
          for i in changed.k.indices.suffix(16) { (changed.k[i], changed.v[i]) = (.nan, .infinity) }
          let after = changed.forward()[0]
          #expect(before.prefix(20 * 48).map(\.bitPattern) == after.prefix(20 * 48).map(\.bitPattern), "\(variant)")
          #expect(after.suffix(48).allSatisfy { $0.isNaN }, "\(variant)")
        }
      }
    }

    @Test func whatTheWindowHidesDoesNotReachAQuery() {
      var numbers = Numbers(seed: 14)
      var example = AttentionCase(3, 1, 16, window: 6)
      example.addSegment(rows: 9)
      example.addSegment(rows: 12, prefix: [0..<9])
      example.fill(&numbers)
      for variant in variants {
        with(variant: variant) {
          let before = example.forward()[0]
          var changed = example
          // Position 8: what is at 14 and later no longer sees it.
          let row = 8 + AttentionCase.shift
          for i in row * 16..<(row + 1) * 16 { (changed.k[i], changed.v[i]) = (.nan, .infinity) }
          let after = changed.forward()[0]
          #expect(after[8 * 48..<14 * 48].allSatisfy { $0.isNaN }, "\(variant)")
          for rows in [0..<8, 14..<21] {
            let range = rows.lowerBound * 48..<rows.upperBound * 48
            #expect(before[range].map(\.bitPattern) == after[range].map(\.bitPattern), "\(variant)")
          }
        }
      }
    }

    /// Values that are the first channels of the keys, and their gradients likewise: what latent attention reads.
    @Test func valuesMayLieWithinKeys() {
      var numbers = Numbers(seed: 15)
      let (d, u) = (40, 24)
      var apart = AttentionCase(4, 1, d, u: u, window: 9).tree(&numbers)
      let keyRows = (0..<apart.k.count / d).map { apart.k[$0 * d..<($0 + 1) * d] }
      apart.v = keyRows.flatMap { $0.prefix(u) }
      var within = apart
      within.shape.v_stride = d
      onEveryVariant {
        let (expected, results) = (apart.forward(), within.forwardSharing())
        #expect(expected.map(\.bits) == results.map(\.bits))
        return [within.gradientSharing(out: results[0], lse: results[1])]
      } check: { variant, results in
        let twin = apart.twinGradient()
        var expected = twin[1]
        for row in 0..<keyRows.count { for c in 0..<u { expected[row * d + c] += twin[2][row * u + c] } }
        #expect(relativeError(results[0], expected) < 1e-6, "\(variant)")
      }
    }

    @Test func aSinkTakesItsShare() {
      // Two equal scores and a sink at the same height: each has a third.
      var example = AttentionCase(1, 1, 2, sinks: true)
      example.addSegment(rows: 2)
      example.q = [0, 0, 0, 0]
      example.k = [Float](repeating: 1, count: 2 * (2 + AttentionCase.shift))
      example.v = [Float](repeating: .nan, count: 2 * AttentionCase.shift) + [3, 6, 6, 12]
      example.sinks = [0]
      onEveryVariant {
        example.forward()
      } check: { variant, results in
        #expect(relativeError(results[0], [1.5, 3, 3, 6]) < 1e-7, "\(variant)")
        #expect(relativeError(results[1], [log(2), log(3)]) < 1e-7, "\(variant)")
      }
    }

    @Test func largeScoresDoNotOverflow() {
      var example = AttentionCase(1, 1, 2)
      example.addSegment(rows: 2)
      let unread = [Float](repeating: .nan, count: 2 * AttentionCase.shift)
      example.q = [300, 0, 300, 0]
      example.k = unread + [-300, 0, 300, 0]
      example.v = unread + [1, 2, 3, 4]
      onEveryVariant {
        example.forward()
      } check: { variant, results in
        #expect(results[0] == [1, 2, 3, 4], "\(variant)")
        #expect(results[1] == [-90_000 * example.shape.scale, 90_000 * example.shape.scale], "\(variant)")
      }
    }

    @Test func noSegmentsAndNoLseAreFine() {
      var example = AttentionCase(2, 1, 4)
      gk_attention(&example.shape, nil, nil, nil, nil, nil, nil, nil, 0, nil)
      gk_attention_gradient(
        &example.shape, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, [0], 0)
      example.addSegment(rows: 5)
      var numbers = Numbers(seed: 13)
      example.fill(&numbers)
      var out = unwritten(5 * 8)
      gk_attention(
        &example.shape, example.q, example.k, example.v, nil, &out, nil, example.segments, 1, example.spans)
      #expect(out.bits == example.forward()[0].bits)
    }
  }
}
