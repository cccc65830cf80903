import CKernels
import Testing

/// x rounded to bfloat16: to nearest, ties to even.
func rounded(_ x: [Double]) -> [Double] {
  var y = zeros(x.count)
  naive_round_bfloat16(x, &y, x.count)
  return y
}

extension ProductCase {
  static func packHalves(_ w: [Float], n: Int, c: Int) -> [UInt16] {
    var packed = [UInt16](repeating: 0x7FC1, count: gk_bfloat16_packed_count(n, c))
    gk_bfloat16_pack(w, &packed, n, c)
    return packed
  }

  var halves: [UInt16] { Self.packHalves(w, n: n, c: c) }

  // The kernels, into memory that holds NaN wherever they must write.

  func halfProduct(bias withBias: Bool = false) -> [Float] {
    var y = unwritten(t * n)
    if withBias {
      halfProductOfOne(x, halves, bias, &y, t, n, c)
    } else {
      halfProductOfOne(x, halves, nil, &y, t, n, c)
    }
    return y
  }

  func halfInputGradient(accumulate: Bool) -> [Float] {
    var result = accumulate ? dx : unwritten(t * c)
    gk_bfloat16_product_input_gradient(dy, halves, &result, t, n, c, accumulate)
    return result
  }

  /// Packed.
  func halfWeightGradient() -> [Float] {
    var result = Self.pack(dw, n: n, c: c)
    gk_bfloat16_product_weight_gradient(dy, x, &result, t, n, c)
    return result
  }

  /// Σ over `count` terms of a[i] · b[i], rounded to bfloat16, from `start` on: of each pair the second term first.
  static func chain(_ count: Int, from start: Float, _ a: (Int) -> Float, _ b: (Int) -> Float) -> Float {
    var sum = start
    for first in stride(from: 0, to: count, by: 2) {
      for i in [first + 1, first] where i < count { sum += half(a(i)) * half(b(i)) }
    }
    return sum
  }

  private static func half(_ x: Float) -> Float {
    let bits = x.bitPattern
    return Float(bitPattern: (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000)
  }
}

extension KernelSuite {
  @Suite struct BFloat16Tests {
    @Test(arguments: bfloat16Variants) func productsEqualTheirTwinsExactly(variant: String) {
      for shape in ProductTests.shapes {
        let example = ProductCase(t: shape.t, n: shape.n, c: shape.c, exact: true)
        for threads: Int32 in [1, 2] {
          with(variant: variant, threads: threads) {
            #expect(example.halfProduct().doubles == example.naiveProduct(), "\(example)")
            #expect(example.halfProduct(bias: true).doubles == example.naiveProduct(bias: true), "\(example)")
          }
        }
      }
    }

    @Test(arguments: bfloat16Variants) func gradientsEqualTheirTwinsExactly(variant: String) {
      let more = [(t: 33, n: 1030, c: 40), (t: 515, n: 40, c: 125), (t: 9, n: 70, c: 601)]
      for shape in ProductGradientTests.shapes + more {
        let example = ProductCase(t: shape.t, n: shape.n, c: shape.c, exact: true)
        for threads: Int32 in [1, 2] {
          with(variant: variant, threads: threads) {
            for accumulate in [false, true] {
              #expect(
                example.halfInputGradient(accumulate: accumulate).doubles
                  == example.naiveInputGradient(accumulate: accumulate), "\(example)")
            }
            let dw = ProductCase.unpack(example.halfWeightGradient(), n: example.n, c: example.c)
            #expect(dw.doubles == example.naiveWeightGradient(), "\(example)")
          }
        }
      }
    }

    /// Both operands rounded, and nothing else: what is left against double precision is the sums' own rounding.
    @Test(arguments: bfloat16Variants) func roundBothOperandsAndNothingElse(variant: String) {
      let example = ProductCase(t: 31, n: 150, c: 333, exact: false)
      let (x, w, dy) = (
        rounded(example.x.doubles), rounded(example.w.doubles), rounded(example.dy.doubles)
      )
      let (t, n, c) = (example.t, example.n, example.c)
      var y = zeros(t * n)
      naive_product(x, w, example.bias.doubles, &y, t, n, c)
      var (dx, dw) = (example.dx.doubles, example.dw.doubles)
      naive_product_input_gradient(dy, w, &dx, t, n, c)
      naive_product_weight_gradient(dy, x, &dw, t, n, c)
      with(variant: variant) {
        #expect(largestDifference(example.halfProduct(bias: true), y) < 2 * Double(c) * 0x1p-24)
        #expect(largestDifference(example.halfInputGradient(accumulate: true), dx) < 2 * Double(n) * 0x1p-24)
        let unpacked = ProductCase.unpack(example.halfWeightGradient(), n: n, c: c)
        #expect(largestDifference(unpacked, dw) < 2 * Double(t) * 0x1p-24)
      }
      // A tenth of what rounding the operands changes.
      #expect(largestDifference(example.product(bias: true), y) > 20 * Double(c) * 0x1p-24)
    }

    @Test(arguments: bfloat16Variants) func addPairsInOneOrderOnEveryVariant(variant: String) {
      let example = ProductCase(t: 29, n: 70, c: 1301, exact: false)
      let (t, n, c) = (example.t, example.n, example.c)
      var (y, dx, dw) = (unwritten(t * n), unwritten(t * c), unwritten(n * c))
      for i in 0..<t {
        for j in 0..<n {
          y[i * n + j] =
            ProductCase.chain(c, from: 0, { example.x[i * c + $0] }, { example.w[j * c + $0] }) + example.bias[j]
        }
        for k in 0..<c {
          dx[i * c + k] = ProductCase.chain(
            n, from: example.dx[i * c + k], { example.dy[i * n + $0] }, { example.w[$0 * c + k] })
        }
      }
      for j in 0..<n {
        for k in 0..<c {
          dw[j * c + k] = ProductCase.chain(
            t, from: example.dw[j * c + k], { example.dy[$0 * n + j] }, { example.x[$0 * c + k] })
        }
      }
      with(variant: variant) {
        #expect(example.halfProduct(bias: true).bits == y.bits)
        #expect(example.halfInputGradient(accumulate: true).bits == dx.bits)
        #expect(ProductCase.unpack(example.halfWeightGradient(), n: n, c: c).bits == dw.bits)
      }
    }

    @Test(arguments: bfloat16Variants) func aRowDoesNotDependOnTheRowsBesideIt(variant: String) {
      for (n, c) in [(130, 1301), (72, 2048)] {
        let whole = ProductCase(t: 40, n: n, c: c, exact: false)
        let packed = whole.halves
        with(variant: variant) {
          var alone: [Float] = []
          for row in 0..<whole.t {
            var y = unwritten(n)
            halfProductOfOne(Array(whole.x[row * c..<(row + 1) * c]), packed, whole.bias, &y, 1, n, c)
            alone += y
          }
          for rows in 1...whole.t {
            var y = unwritten(rows * n)
            halfProductOfOne(whole.x, packed, whole.bias, &y, rows, n, c)
            #expect(y.bits == Array(alone[..<y.count]).bits, "\(rows) rows, C \(c)")
          }
        }
      }
    }

    @Test(arguments: bfloat16Variants) func threadsDoNotChangeBits(variant: String) {
      for (t, n, c) in [(150, 300, 530), (2, 2000, 301), (700, 64, 64)] {
        let example = ProductCase(t: t, n: n, c: c, exact: false)
        func bits(_ threads: Int32) -> [[UInt32]] {
          with(variant: variant, threads: threads) {
            [
              example.halfProduct(bias: true).bits, example.halfInputGradient(accumulate: true).bits,
              example.halfWeightGradient().bits,
            ]
          }
        }
        let one = bits(1)
        for threads: Int32 in [2, 5] { #expect(bits(threads) == one, "\(example)") }
      }
    }

    @Test(arguments: bfloat16Variants) func expertsHaveTheBitsOfEachAlone(variant: String) {
      for rows in ProductGroupedTests.groups {
        let parts = rows.enumerated().map { ProductCase(t: Int($1), n: 70, c: 301, exact: false, seed: UInt64($0)) }
        let (n, c, total) = (70, 301, Int(rows.reduce(0, +)))
        let offsets = rows.reduce(into: [Int32(0)]) { $0.append(($0.last ?? 0) + $1) }
        let (x, dy) = (parts.flatMap(\.x), parts.flatMap(\.dy))
        let (packed, bias) = (parts.flatMap(\.halves), parts.flatMap(\.bias))
        for threads: Int32 in [1, 2, 3] {
          with(variant: variant, threads: threads) {
            var y = unwritten(total * n)
            groupedHalfProductOfOne(x, packed, bias, &y, offsets, parts.count, n, c)
            #expect(y.bits == parts.flatMap { $0.halfProduct(bias: true).bits }, "\(rows)")
            var dx = unwritten(total * c)
            gk_bfloat16_grouped_product_input_gradient(dy, nil, packed, &dx, offsets, parts.count, n, c, false)
            #expect(dx.bits == parts.flatMap { $0.halfInputGradient(accumulate: false).bits }, "\(rows)")
            var dw = parts.flatMap { ProductCase.pack($0.dw, n: n, c: c) }
            gk_bfloat16_grouped_product_weight_gradient(dy, nil, x, nil, &dw, offsets, parts.count, n, c)
            #expect(dw.bits == parts.flatMap { $0.halfWeightGradient().bits }, "\(rows)")

            let ((dyElsewhere, dyRows), (xElsewhere, xRows)) = (
              scattered(dy, columns: n), scattered(x, columns: c, with: 3)
            )
            var others = (unwritten(total * c), parts.flatMap { ProductCase.pack($0.dw, n: n, c: c) })
            gk_bfloat16_grouped_product_input_gradient(
              dyElsewhere, dyRows, packed, &others.0, offsets, parts.count, n, c, false)
            gk_bfloat16_grouped_product_weight_gradient(
              dyElsewhere, dyRows, xElsewhere, xRows, &others.1, offsets, parts.count, n, c)
            #expect(others.0.bits == dx.bits && others.1.bits == dw.bits, "\(rows)")
            var yElsewhere = unwritten(total * n)
            groupedHalfProductOfOne(
              xElsewhere, packed, bias, &yElsewhere, offsets, parts.count, n, c, rows: xRows)
            #expect(yElsewhere.bits == y.bits, "\(rows)")
          }
        }
      }
    }

    @Test(arguments: bfloat16Variants) func packingIsTheLayoutThatTheHeaderSays(variant: String) {
      for (n, c) in [(1, 1), (32, 5), (33, 8), (100, 64)] {
        // 1 + k / 128 is a bfloat16.
        let w = (0..<n * c).map { 1 + Float($0 % 128) / 128 }
        with(variant: variant) {
          let packed = ProductCase.packHalves(w, n: n, c: c)
          let (panels, pairs) = ((n + 31) / 32, (c + 1) / 2)
          #expect(packed.count == panels * 64 * pairs)
          for row in 0..<panels * 32 {
            for column in 0..<pairs * 2 {
              let expected = row < n && column < c ? w[row * c + column] : 0
              let place = row / 32 * 64 * pairs + column / 2 * 64 + row % 32 * 2 + column % 2
              #expect(packed[place] == UInt16(expected.bitPattern >> 16), "(\(row), \(column))")
            }
          }
          var back = unwritten(n * c)
          gk_bfloat16_unpack(packed, &back, n, c)
          #expect(back == w)

          var single = unwritten(gk_packed_count(n, c))
          gk_bfloat16_widen(packed, &single, n, c)
          #expect(single == ProductCase.pack(w, n: n, c: c))
          var narrow = [UInt16](repeating: 0x7FC1, count: packed.count)
          gk_bfloat16_narrow(single, &narrow, n, c)
          #expect(narrow == packed)

          let tokens = (0..<7).map { Int32($0 * 31 % n) }
          var rows = unwritten(7 * c)
          gk_bfloat16_embedding(packed, tokens, &rows, 7, c)
          #expect(rows == tokens.flatMap { w[Int($0) * c..<(Int($0) + 1) * c] })
        }
      }
    }

    /// Ties, the largest numbers, infinities, NaN, and what lies around a step, as they are packed and as they enter a
    /// product with 1.
    @Test(arguments: bfloat16Variants) func roundToTheNearestTiesToEven(variant: String) {
      var numbers: [Float] = [0, -0.0, 1, -1, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNormalMagnitude]
      for bits: UInt32 in [0x3F80_0000, 0x3F81_0000, 0xC2FF_0000, 0x7F7F_0000, 0x0080_0000] {
        for low: UInt32 in [0x7FFF, 0x8000, 0x8001, 0xFFFF] { numbers.append(Float(bitPattern: bits | low)) }
      }
      let expected = numbers.map { number in
        number.magnitude >= 0x1.FFp127
          ? (number < 0 ? -Float.infinity : .infinity) : Float(rounded([Double(number)])[0])
      }
      with(variant: variant) {
        let packed = ProductCase.packHalves(numbers, n: 1, c: numbers.count)
        var back = unwritten(numbers.count)
        gk_bfloat16_unpack(packed, &back, 1, numbers.count)
        #expect(back.bits == expected.bits)
        #expect(ProductCase.packHalves([.nan], n: 1, c: 1)[0] & 0x7FFF > 0x7F80)

        var y = unwritten(numbers.count)
        halfProductOfOne(numbers, ProductCase.packHalves([1], n: 1, c: 1), nil, &y, numbers.count, 1, 1)
        #expect(y == expected)
        halfProductOfOne([.nan], ProductCase.packHalves([1], n: 1, c: 1), nil, &y, 1, 1, 1)
        #expect(y[0].isNaN)
      }
    }

    @Test func writesNothingButItsRows() {
      let example = ProductCase(t: 5, n: 45, c: 21, exact: true)
      var y = [Float](repeating: 7, count: 5 * 45 + 64)
      halfProductOfOne(example.x, example.halves, nil, &y, 4, 45, 21)
      #expect(y[(4 * 45)...].allSatisfy { $0 == 7 })
    }
  }
}
