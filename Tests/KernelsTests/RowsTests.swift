import CKernels
import Testing

extension KernelSuite {
  @Suite struct RowsTests {
    static let widths = [1, 3, 16, 33, 64, 100, 577]

    @Test func sumsAndMultiplesAreOfEachNumber() {
      var numbers = Numbers(seed: 1)
      for count in [0, 1, 7, 16, 1000, 40_003] {
        let (x, y) = (numbers.normals(count), numbers.normals(count))
        onEveryVariant {
          var (sum, scaledSum, scaled, inPlace) = (y, y, unwritten(count), x)
          gk_add(x, 1, &sum, count)
          gk_add(x, -0.3, &scaledSum, count)
          gk_scale(x, 1.7, &scaled, count)
          inPlace.withUnsafeMutableBufferPointer { gk_scale($0.baseAddress, 1.7, $0.baseAddress, count) }
          #expect(inPlace == scaled)
          return [sum, scaledSum, scaled]
        } check: { variant, results in
          #expect(results[0] == zip(x, y).map(+), "\(variant) \(count)")
          let scaledSum = zip(x, y).map { Double(Float(-0.3)) * Double($0) + Double($1) }
          #expect(relativeError(results[1], scaledSum) < 1.2e-7, "\(variant) \(count)")
          #expect(results[2] == x.map { 1.7 * $0 }, "\(variant) \(count)")
        }
      }
    }

    @Test(arguments: widths) func gatherCopiesRows(c: Int) {
      var numbers = Numbers(seed: 2)
      for rows in [0, 1, 50, 700] {
        let (x, index) = (numbers.normals(20 * c), numbers.indices(rows, below: 20))
        var expected = zeros(rows * c)
        naive_gather_rows(x.doubles, index, &expected, rows, c)
        onEveryVariant {
          var y = unwritten(rows * c)
          gk_gather_rows(x, index, &y, rows, c)
          return [y]
        } check: { _, results in
          #expect(results[0].doubles == expected)
        }
      }
    }

    @Test(arguments: widths) func segmentsGoToTheirPlaces(c: Int) {
      var numbers = Numbers(seed: 4)
      for count in [0, 1, 40] {
        // Segment i: i % 3 rows, to places in descending order with a row between them.
        var (segments, rows) = ([gk_segment](), 0)
        for i in 0..<count {
          segments.append(
            gk_segment(row: Int32(rows), rows: Int32(i % 3), kv: Int32(4 * (count - 1 - i)), span: 0, spans: 0))
          rows += i % 3
        }
        // Three matrices together: the second is wider, and a row of the third is two of other rows.
        let widths = [c, 2 * c + 1, c]
        let parts = [1, 1, 2]
        let index = numbers.indices(2 * rows, below: max(rows, 1))
        let x = widths.map { numbers.normals(rows * $0) }
        let y = zip(widths, parts).map { [Float](repeating: 7, count: 4 * count * $0 * $1) }
        var expected = y
        for (matrix, (c, parts)) in zip(widths, parts).enumerated() {
          for segment in segments {
            for row in 0..<Int(segment.rows) * parts {
              let place = Int(segment.row) * parts + row
              let from = (parts == 1 ? place : Int(index[place])) * c
              let to = (Int(segment.kv) * parts + row) * c
              expected[matrix].replaceSubrange(to..<to + c, with: x[matrix][from..<from + c])
            }
          }
        }
        for isFar in [false, true] {
          for threads: Int32 in [1, 2] {
            var found = y
            withUnsafePlacings(x, &found, widths, index: [nil, nil, index], parts) { placings in
              with(variant: variants[0], threads: threads) { gk_place_rows(placings, 3, segments, count, isFar) }
            }
            #expect(found == expected)
          }
        }
      }
    }

    /// Placings of some matrices in memory that stays where it is meanwhile.
    private func withUnsafePlacings(
      _ x: [[Float]], _ y: inout [[Float]], _ widths: [Int], index: [[Int32]?], _ parts: [Int],
      _ body: ([gk_placing]) -> Void
    ) {
      func copy<Element>(_ elements: [Element]) -> UnsafeMutablePointer<Element> {
        let copy = UnsafeMutablePointer<Element>.allocate(capacity: max(elements.count, 1))
        copy.initialize(from: elements, count: elements.count)
        return copy
      }
      let (from, to) = (x.map(copy), y.map(copy))
      let indices = index.map { $0.map(copy) }
      defer {
        for pointer in from + to { pointer.deallocate() }
        for pointer in indices { pointer?.deallocate() }
      }
      body(
        widths.indices.map {
          gk_placing(
            x: from[$0], y: to[$0], c: widths[$0], index: indices[$0].map { UnsafePointer($0) }, parts: parts[$0])
        })
      for matrix in y.indices { y[matrix] = Array(UnsafeBufferPointer(start: to[matrix], count: y[matrix].count)) }
    }

    @Test(arguments: widths) func scatterAddsRowsThatMeet(c: Int) {
      var numbers = Numbers(seed: 3)
      for rows in [0, 1, 50, 700] {
        // Integers: their sums are exact, in any order.
        let (x, y, index) = (numbers.integers(rows * c), numbers.integers(9 * c), numbers.indices(rows, below: 9))
        var expected = y.doubles
        naive_scatter_add_rows(x.doubles, index, &expected, rows, c)
        onEveryVariant {
          var sum = y
          gk_scatter_add_rows(x, index, &sum, rows, c)
          return [sum]
        } check: { _, results in
          #expect(results[0].doubles == expected)
        }
      }
    }

    @Test func scatterAddsInOrder() {
      // 2²⁴ + 1 + 1 is 2²⁴ in single precision; 1 + 1 + 2²⁴ is not.
      var y: [Float] = [0, 0]
      gk_scatter_add_rows([16_777_216, 1, 1, 1, 1, 16_777_216], [0, 0, 0], &y, 3, 2)
      #expect(y == [16_777_216 + 1, 16_777_218].map { Float($0) })
    }

    /// [T, H, C] to [H, T, C] and back, and every other channel of it.
    @Test(arguments: widths) func copiesOfHeadsFollowTheStrides(c: Int) {
      var numbers = Numbers(seed: 6)
      for (t, h) in [(0, 3), (1, 1), (5, 3), (90, 4)] {
        let x = numbers.normals(t * h * c)
        let tokens = gk_strides(tokens: h * c, heads: c, channels: 1)
        let heads = gk_strides(tokens: c, heads: t * c, channels: 1)
        let odd = c / 2
        onEveryVariant {
          var (grouped, back, every) = (unwritten(t * h * c), unwritten(t * h * c), unwritten(t * h * odd))
          gk_copy_heads(x, tokens, &grouped, heads, t, h, c)
          gk_copy_heads(grouped, heads, &back, tokens, t, h, c)
          let pairs = gk_strides(tokens: h * c, heads: c, channels: 2)
          x.withUnsafeBufferPointer { x in
            guard let base = x.baseAddress, odd > 0 else { return }
            gk_copy_heads(
              base + 1, pairs, &every, gk_strides(tokens: h * odd, heads: odd, channels: 1), t, h, odd)
          }
          return [grouped, back, every]
        } check: { variant, results in
          var grouped = unwritten(t * h * c)
          for token in 0..<t {
            for head in 0..<h {
              for i in 0..<c { grouped[(head * t + token) * c + i] = x[(token * h + head) * c + i] }
            }
          }
          #expect(results[0] == grouped, "\(variant)")
          #expect(results[1] == x, "\(variant)")
          #expect(
            results[2] == (0..<t * h * odd).map { x[$0 / max(odd, 1) * c + 2 * ($0 % max(odd, 1)) + 1] }, "\(variant)")
        }
      }
    }

    @Test(arguments: widths) func theEmbeddingReadsAPackedTable(c: Int) {
      var numbers = Numbers(seed: 4)
      for (t, v) in [(0, 5), (1, 1), (9, 31), (40, 100)] {
        let (table, tokens, dy) = (numbers.integers(v * c), numbers.indices(t, below: v), numbers.integers(t * c))
        let packed = ProductCase.pack(table, n: v, c: c)
        var expected = zeros(t * c)
        naive_gather_rows(table.doubles, tokens, &expected, t, c)
        var gradient = table.doubles
        naive_scatter_add_rows(dy.doubles, tokens, &gradient, t, c)
        onEveryVariant {
          var y = unwritten(t * c)
          gk_embedding(packed, tokens, &y, t, c)
          var dw = packed
          gk_embedding_gradient(dy, tokens, &dw, t, c)
          return [y, dw]
        } check: { _, results in
          #expect(results[0].doubles == expected)
          #expect(ProductCase.unpack(results[1], n: v, c: c).doubles == gradient)
          #expect(results[1].count == packed.count)
        }
      }
    }
  }
}
