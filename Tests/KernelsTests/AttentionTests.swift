import CKernels
import Testing

/// Queries, keys and values of sequences that share prefixes.
struct AttentionCase {
  var h = 4
  var g = 2
  var d = 16
  var window = 0
  /// Rows of q. Those of k and v stand `shift` further on, behind rows that nobody reads.
  var rows = 0
  static let shift = 3
  var segments: [gk_segment] = []
  var spans: [gk_span] = []
  /// Segments of each tree.
  var trees: [Int32] = [0]
  var q: [Float] = []
  var k: [Float] = []
  var v: [Float] = []
  var dout: [Float] = []

  var scale: Float { 1 / Float(d).squareRoot() }

  init(heads h: Int, keyValueHeads g: Int, size d: Int) { (self.h, self.g, self.d) = (h, g, d) }

  /// A run of new tokens after those of `prefix`.
  mutating func addSegment(rows count: Int, prefix: [Range<Int>] = []) {
    addSegment(rows..<rows + count, prefix: prefix)
    rows += count
  }

  mutating func addSegment(_ tokens: Range<Int>, prefix: [Range<Int>]) {
    segments.append(
      gk_segment(
        row: Int32(tokens.lowerBound), rows: Int32(tokens.count), kv: Int32(tokens.lowerBound + Self.shift),
        span: Int32(spans.count), spans: Int32(prefix.count)))
    spans += prefix.map { gk_span(row: Int32($0.lowerBound + Self.shift), rows: Int32($0.count)) }
  }

  mutating func endTree() { trees.append(Int32(segments.count)) }

  mutating func fill(_ numbers: inout Numbers) {
    q = numbers.normals(rows * h * d)
    k = numbers.normals((rows + Self.shift) * g * d)
    v = numbers.normals((rows + Self.shift) * g * d)
    dout = numbers.normals(rows * h * d)
  }

  /// out and lse.
  func forward() -> [[Float]] {
    var (out, lse) = (unwritten(rows * h * d), unwritten(rows * h))
    gk_attention(q, k, v, &out, &lse, h, g, d, window, scale, segments, segments.count, spans)
    return [out, lse]
  }

  /// dq, dk and dv.
  func gradient(out: [Float], lse: [Float]) -> [[Float]] {
    var dq = [Float](repeating: 0, count: q.count)
    var (dk, dv) = ([Float](repeating: 0, count: k.count), [Float](repeating: 0, count: v.count))
    gk_attention_gradient(
      dout, q, k, v, out, lse, &dq, &dk, &dv, h, g, d, window, scale, segments, spans, trees, trees.count - 1)
    return [dq, dk, dv]
  }

  func twinForward(_ q: [Double], _ k: [Double], _ v: [Double]) -> [[Double]] {
    var (out, lse) = (zeros(q.count), zeros(rows * h))
    naive_attention(q, k, v, &out, &lse, h, g, d, window, Double(scale), segments, segments.count, spans)
    return [out, lse]
  }

  func twinGradient() -> [[Double]] {
    var (dq, dk, dv) = (zeros(q.count), zeros(k.count), zeros(v.count))
    naive_attention_gradient(
      dout.doubles, q.doubles, k.doubles, v.doubles, &dq, &dk, &dv, h, g, d, window, Double(scale), segments,
      segments.count,
      spans)
    return [dq, dk, dv]
  }

  /// A prompt, branches that share it, one that branches again, a decoded token after several spans; then a sequence of
  /// its own.
  static func tree(heads h: Int, keyValueHeads g: Int, size d: Int, _ numbers: inout Numbers) -> AttentionCase {
    var example = AttentionCase(heads: h, keyValueHeads: g, size: d)
    let prompt = 0..<1 + numbers.below(40)
    example.addSegment(rows: prompt.count)
    let branch = example.rows..<example.rows + 1 + numbers.below(20)
    example.addSegment(rows: branch.count, prefix: [prompt])
    example.addSegment(rows: 1 + numbers.below(9), prefix: [prompt, branch])
    example.addSegment(rows: 1, prefix: [prompt])
    let part = branch.prefix((branch.count + 1) / 2)
    example.addSegment(rows: 1, prefix: [prompt, part, example.rows - 1..<example.rows])
    example.endTree()
    example.addSegment(rows: 17 + numbers.below(8))
    example.endTree()
    example.fill(&numbers)
    return example
  }
}

extension KernelSuite {
  @Suite struct AttentionTests {
    static let shapes = [
      (1, 1, 2), (4, 2, 16), (9, 3, 64), (8, 1, 32), (3, 3, 80), (2, 1, 128), (5, 1, 6), (6, 2, 18), (14, 2, 34),
    ]

    /// 0: every query sees all keys before it.
    static let windows = [0, 2, 5, 11]

    @Test(arguments: shapes, windows)
    func attentionAndItsGradientEqualTheirTwins(_ shape: (h: Int, g: Int, d: Int), window: Int) {
      var numbers = Numbers(seed: UInt64(shape.d))
      var example = AttentionCase.tree(heads: shape.h, keyValueHeads: shape.g, size: shape.d, &numbers)
      example.window = window
      let forward = example.twinForward(example.q.doubles, example.k.doubles, example.v.doubles)
      let gradient = example.twinGradient()
      onEveryVariant {
        let results = example.forward()
        return results + example.gradient(out: results[0], lse: results[1])
      } check: { variant, results in
        for (result, twin) in zip(results, forward) { #expect(relativeError(result, twin) < 5e-7, "\(variant)") }
        for (result, twin) in zip(results.dropFirst(2), gradient) {
          #expect(relativeError(result, twin) < 1e-6, "\(variant)")
        }
      }
    }

    @Test func theGradientIsThatOfTheTwin() {
      var numbers = Numbers(seed: 7)
      var example = AttentionCase(heads: 2, keyValueHeads: 1, size: 4)
      example.addSegment(rows: 3)
      example.addSegment(rows: 2, prefix: [0..<3])
      example.endTree()
      example.fill(&numbers)
      let (q, k, v) = (example.q.doubles, example.k.doubles, example.v.doubles)
      func loss(_ q: [Double], _ k: [Double], _ v: [Double]) -> Double {
        dot(example.twinForward(q, k, v)[0], example.dout.doubles)
      }
      let gradient = example.twinGradient()
      #expect(relativeError(gradient[0], centralDifferences(q) { loss($0, k, v) }) < 1e-8)
      #expect(relativeError(gradient[1], centralDifferences(k) { loss(q, $0, v) }) < 1e-8)
      #expect(relativeError(gradient[2], centralDifferences(v) { loss(q, k, $0) }) < 1e-8)
    }

    /// Each sequence of the tree alone, as one segment over rows of its own: the same bits.
    @Test(arguments: shapes, windows)
    func aTreeGivesTheBitsOfItsSequencesAlone(_ shape: (h: Int, g: Int, d: Int), window: Int) {
      for seed in UInt64(0)..<6 {
        var numbers = Numbers(seed: seed * 100 + UInt64(shape.d))
        var tree = AttentionCase.tree(heads: shape.h, keyValueHeads: shape.g, size: shape.d, &numbers)
        tree.window = window
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
      let (h, g, d) = (tree.h, tree.g, tree.d)
      var rows: [Int] = []
      for span in tree.spans[Int(segment.span)..<Int(segment.span + segment.spans)] {
        rows += (0..<Int(span.rows)).map { Int(span.row) - AttentionCase.shift + $0 }
      }
      let prefix = rows.count
      rows += Int(segment.row)..<Int(segment.row + segment.rows)
      func part(_ x: [Float], _ width: Int, shift: Int = 0) -> [Float] {
        x.prefix(shift * width) + rows.flatMap { x[($0 + shift) * width..<($0 + shift + 1) * width] }
      }
      var alone = AttentionCase(heads: h, keyValueHeads: g, size: d)
      alone.window = tree.window
      alone.addSegment(rows: rows.count)
      alone.q = part(tree.q, h * d)
      alone.k = part(tree.k, g * d, shift: AttentionCase.shift)
      alone.v = part(tree.v, g * d, shift: AttentionCase.shift)
      let results = alone.forward()
      for i in prefix..<rows.count {
        let (from, to) = (rows[i], rows[i] + 1)
        #expect(
          results[0][i * h * d..<(i + 1) * h * d].map(\.bitPattern)
            == together[0][from * h * d..<to * h * d].map(\.bitPattern), "\(variant), row \(i)")
        #expect(
          results[1][i * h..<(i + 1) * h].map(\.bitPattern) == together[1][from * h..<to * h].map(\.bitPattern),
          "\(variant), row \(i)")
      }
    }

    /// The whole of a long sequence against the same one token by token, its cache cut into spans at random.
    @Test(arguments: windows + [1, 40]) func decodingGivesTheBitsOfThePrefill(window: Int) {
      var numbers = Numbers(seed: 11)
      let length = 150
      var prefill = AttentionCase(heads: 6, keyValueHeads: 2, size: 48)
      prefill.window = window
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

    @Test func whatAQueryCannotSeeDoesNotReachIt() {
      var numbers = Numbers(seed: 12)
      var example = AttentionCase(heads: 3, keyValueHeads: 1, size: 16)
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

    @Test func largeScoresDoNotOverflow() {
      var example = AttentionCase(heads: 1, keyValueHeads: 1, size: 2)
      example.addSegment(rows: 2)
      let unread = [Float](repeating: .nan, count: 2 * AttentionCase.shift)
      example.q = [300, 0, 300, 0]
      example.k = unread + [-300, 0, 300, 0]
      example.v = unread + [1, 2, 3, 4]
      onEveryVariant {
        example.forward()
      } check: { variant, results in
        #expect(results[0] == [1, 2, 3, 4], "\(variant)")
        #expect(results[1] == [-90_000 * example.scale, 90_000 * example.scale], "\(variant)")
      }
    }

    @Test func noSegmentsAndNoLseAreFine() {
      gk_attention(nil, nil, nil, nil, nil, 2, 1, 4, 0, 1, nil, 0, nil)
      gk_attention_gradient(nil, nil, nil, nil, nil, nil, nil, nil, nil, 2, 1, 4, 0, 1, nil, nil, [0], 0)
      var example = AttentionCase(heads: 2, keyValueHeads: 1, size: 4)
      example.addSegment(rows: 5)
      var numbers = Numbers(seed: 13)
      example.fill(&numbers)
      var out = unwritten(5 * 8)
      gk_attention(
        example.q, example.k, example.v, &out, nil, 2, 1, 4, 0, example.scale, example.segments, 1, example.spans)
      #expect(out.bits == example.forward()[0].bits)
    }
  }
}
