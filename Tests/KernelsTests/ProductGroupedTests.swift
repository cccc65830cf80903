import CKernels
import Testing

extension KernelSuite {
  @Suite struct ProductGroupedTests {
    /// Rows of each expert: none, few, many, and all at one.
    static let groups: [[Int32]] = [
      [3, 0, 1, 12, 0, 200, 2, 0], [0, 0, 0, 0], [1, 1, 1, 1, 1, 1], [0, 150], [40], [7, 8, 9, 10, 11, 12, 13],
    ]

    struct Grouped {
      let offsets: [Int32]
      let parts: [ProductCase]
      let n: Int
      let c: Int

      init(_ rows: [Int32], n: Int, c: Int) {
        offsets = rows.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
        parts = rows.enumerated().map { ProductCase(t: Int($1), n: n, c: c, exact: false, seed: UInt64($0) + 1) }
        (self.n, self.c) = (n, c)
      }

      var rows: Int { Int(offsets[offsets.count - 1]) }
      var x: [Float] { parts.flatMap(\.x) }
      var dy: [Float] { parts.flatMap(\.dy) }
      var packed: [Float] { parts.flatMap(\.packed) }

      func product(bias: Bool) -> [Float] {
        var y = [Float](repeating: .nan, count: rows * n)
        groupedProductOfOne(x, packed, bias ? parts.flatMap(\.bias) : nil, &y, offsets, parts.count, n, c)
        return y
      }

      /// The same of rows that lie elsewhere.
      func scatteredProduct() -> [Float] {
        var y = [Float](repeating: .nan, count: rows * n)
        let (x, index) = scattered(x, columns: c)
        groupedProductOfOne(x, packed, nil, &y, offsets, parts.count, n, c, rows: index)
        return y
      }

      func biasGradient() -> [Float] {
        var db = parts.flatMap(\.bias)
        gk_grouped_bias_gradient(dy, &db, offsets, parts.count, n)
        return db
      }

      func inputGradient(accumulate: Bool) -> [Float] {
        var dx = accumulate ? parts.flatMap(\.dx) : [Float](repeating: .nan, count: rows * c)
        gk_grouped_product_input_gradient(dy, nil, packed, &dx, offsets, parts.count, n, c, accumulate)
        return dx
      }

      func scatteredInputGradient() -> [Float] {
        var dx = [Float](repeating: .nan, count: rows * c)
        let (dy, index) = scattered(dy, columns: n)
        gk_grouped_product_input_gradient(dy, index, packed, &dx, offsets, parts.count, n, c, false)
        return dx
      }

      func weightGradient() -> [Float] {
        var dw = parts.flatMap { ProductCase.pack($0.dw, n: n, c: c) }
        gk_grouped_product_weight_gradient(dy, nil, x, nil, &dw, offsets, parts.count, n, c)
        return dw
      }

      func scatteredWeightGradient() -> [Float] {
        var dw = parts.flatMap { ProductCase.pack($0.dw, n: n, c: c) }
        let ((dy, dyRows), (x, xRows)) = (scattered(dy, columns: n), scattered(x, columns: c, with: 3))
        gk_grouped_product_weight_gradient(dy, dyRows, x, xRows, &dw, offsets, parts.count, n, c)
        return dw
      }
    }

    /// More experts than are put in an order.
    @Test(arguments: variants) func expertsMayBeHundreds(variant: String) {
      let grouped = Grouped((0..<300).map { Int32($0 * 7 % 5) }, n: 5, c: 9)
      let parts = grouped.parts
      with(variant: variant, threads: 3) {
        #expect(grouped.product(bias: true).bits == parts.flatMap { $0.product(bias: true).bits })
        #expect(
          grouped.inputGradient(accumulate: false).bits == parts.flatMap { $0.inputGradient(accumulate: false).bits })
        #expect(grouped.weightGradient().bits == parts.flatMap { $0.weightGradient().bits })
      }
    }

    @Test(arguments: variants, ProductGradientTests.paths)
    func hasTheBitsOfEachExpertAlone(variant: String, path: String) {
      for rows in Self.groups {
        let grouped = Grouped(rows, n: 70, c: 300)
        for threads: Int32 in [1, 2, 3] {
          with(variant: variant, threads: threads, gradients: path) {
            #expect(
              grouped.biasGradient().bits
                == grouped.parts.flatMap { part in
                  var db = part.bias
                  gk_bias_gradient(part.dy, &db, part.t, part.n)
                  return db.bits
                }, "\(rows)")
            for flag in [false, true] {
              #expect(
                grouped.product(bias: flag).bits
                  == grouped.parts.flatMap { $0.product(bias: flag).bits }, "\(rows)")
              #expect(
                grouped.inputGradient(accumulate: flag).bits
                  == grouped.parts.flatMap { $0.inputGradient(accumulate: flag).bits }, "\(rows)")
            }
            #expect(grouped.weightGradient().bits == grouped.parts.flatMap { $0.weightGradient().bits }, "\(rows)")
            #expect(grouped.scatteredProduct().bits == grouped.product(bias: false).bits, "\(rows)")
            #expect(grouped.scatteredInputGradient().bits == grouped.inputGradient(accumulate: false).bits, "\(rows)")
            #expect(grouped.scatteredWeightGradient().bits == grouped.weightGradient().bits, "\(rows)")
          }
        }
      }
    }
  }
}
