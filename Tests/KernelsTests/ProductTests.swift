import CKernels
import Testing

extension KernelSuite {
  @Suite struct ProductTests {
    /// Every height of a tile, edges of panels and vectors, cuts of a long reduction, and strides that fall on one line.
    static let shapes: [(t: Int, n: Int, c: Int)] =
      (0...26).map { (t: $0, n: 7 + 13 * $0 % 101, c: 5 + 31 * $0 % 97) } + [
        (1, 1, 1), (1, 31, 3), (3, 32, 1), (2, 33, 17), (2, 1, 40), (1, 160, 64), (2, 161, 5), (3, 95, 513),
        (13, 64, 512), (40, 70, 1100), (24, 96, 1024), (200, 40, 24), (97, 300, 33), (5, 0, 9), (5, 9, 0),
      ]

    @Test(arguments: variants) func equalsItsTwinExactly(variant: String) {
      for shape in Self.shapes {
        let example = ProductCase(t: shape.t, n: shape.n, c: shape.c, exact: true)
        for threads: Int32 in [1, 2] {
          with(variant: variant, threads: threads) {
            #expect(example.product().doubles == example.naiveProduct(), "\(example)")
            #expect(example.product(bias: true).doubles == example.naiveProduct(bias: true), "\(example)")
          }
        }
      }
    }

    @Test(arguments: variants) func roundsLikeOneChainOfSinglePrecision(variant: String) {
      for (t, n, c) in [(9, 50, 300), (30, 64, 1500)] {
        let example = ProductCase(t: t, n: n, c: c, exact: false)
        with(variant: variant) {
          // Products of uniform numbers have a deviation of 1/3; sums of c of them err by about c · 2⁻²⁴ / 3.
          let tolerance = 2 * Double(c) * 0x1p-24
          #expect(largestDifference(example.product(), example.naiveProduct()) < tolerance)
        }
      }
    }

    @Test(arguments: variants) func addsInAscendingOrder(variant: String) {
      let example = ProductCase(t: 14, n: 40, c: 700, exact: false)
      var expected = [Float](repeating: 0, count: example.t * example.n)
      for i in 0..<example.t {
        for j in 0..<example.n {
          var sum: Float = 0
          for k in 0..<example.c {
            let (a, b) = (example.x[i * example.c + k], example.w[j * example.c + k])
            sum = variant == "plain" ? sum + a * b : sum.addingProduct(a, b)
          }
          expected[i * example.n + j] = sum + example.bias[j]
        }
      }
      with(variant: variant) { #expect(example.product(bias: true).bits == expected.bits) }
    }

    @Test(arguments: variants) func aRowDoesNotDependOnTheRowsBesideIt(variant: String) {
      for (n, c) in [(130, 600), (72, 1024)] {
        let whole = ProductCase(t: 40, n: n, c: c, exact: false)
        let packed = whole.packed
        with(variant: variant) {
          var alone: [Float] = []
          for row in 0..<whole.t {
            var y = [Float](repeating: .nan, count: n)
            productOfOne(Array(whole.x[row * c..<(row + 1) * c]), packed, whole.bias, &y, 1, n, c)
            alone += y
          }
          for rows in 1...whole.t {
            var y = [Float](repeating: .nan, count: rows * n)
            productOfOne(whole.x, packed, whole.bias, &y, rows, n, c)
            #expect(y.bits == Array(alone[..<y.count]).bits, "\(rows) rows, C \(c)")
          }
        }
      }
    }

    @Test(arguments: variants) func threadsDoNotChangeBits(variant: String) {
      for (t, n, c) in [(150, 300, 530), (2, 2000, 300), (700, 64, 64)] {
        let example = ProductCase(t: t, n: n, c: c, exact: false)
        let one = with(variant: variant, threads: 1) { example.product(bias: true).bits }
        for threads: Int32 in [2, 3] {
          #expect(with(variant: variant, threads: threads) { example.product(bias: true).bits } == one, "\(example)")
        }
      }
    }

    @Test func writesNothingButItsRows() {
      let example = ProductCase(t: 5, n: 45, c: 20, exact: true)
      var y = [Float](repeating: 7, count: 5 * 45 + 64)
      productOfOne(example.x, example.packed, nil, &y, 4, 45, 20)
      #expect(y[(4 * 45)...].allSatisfy { $0 == 7 })
    }

    @Test func packingIsTheLayoutThatTheHeaderSays() {
      for (n, c) in [(1, 1), (32, 5), (33, 7), (100, 64)] {
        let w = (0..<n * c).map { Float($0 + 1) }
        let packed = ProductCase.pack(w, n: n, c: c)
        #expect(packed.count == (n + 31) / 32 * 32 * c)
        for row in 0..<(n + 31) / 32 * 32 {
          for column in 0..<c {
            let expected = row < n ? w[row * c + column] : 0
            #expect(packed[row / 32 * 32 * c + column * 32 + row % 32] == expected)
          }
        }
        #expect(ProductCase.unpack(packed, n: n, c: c) == w)
      }
    }
  }
}
