import CKernels
import Testing

extension KernelSuite {
  @Suite struct ProductGradientTests {
    static let paths = ["own", "openblas"].filter { path in
      defer { gk_use_gradients("own") }
      return gk_use_gradients(path)
    }

    /// Past the cuts of every loop: 512 outputs of 256 channels laid out at once for 96 of 576 rows, 256 tokens and 264
    /// channels gathered at once.
    static let shapes: [(t: Int, n: Int, c: Int)] =
      (0...14).map { (t: $0, n: 3 + 17 * $0 % 103, c: 2 + 29 * $0 % 95) } + [
        (1, 1, 1), (2, 33, 31), (3, 31, 33), (7, 64, 128), (20, 300, 40), (260, 40, 130), (300, 70, 250),
        (600, 33, 20), (30, 1100, 20), (6, 600, 290), (150, 140, 540), (270, 40, 280), (5, 0, 9), (5, 9, 0),
      ]

    @Test(arguments: variants, paths) func equalTheirTwinsExactly(variant: String, path: String) {
      for shape in Self.shapes {
        let example = ProductCase(t: shape.t, n: shape.n, c: shape.c, exact: true)
        for threads: Int32 in [1, 2] {
          with(variant: variant, threads: threads, gradients: path) {
            for accumulate in [false, true] {
              #expect(
                example.inputGradient(accumulate: accumulate).doubles
                  == example.naiveInputGradient(accumulate: accumulate), "\(example)")
            }
            let dw = ProductCase.unpack(example.weightGradient(), n: example.n, c: example.c)
            #expect(dw.doubles == example.naiveWeightGradient(), "\(example)")
          }
        }
      }
    }

    @Test(arguments: variants, paths) func roundLikeSinglePrecision(variant: String, path: String) {
      let example = ProductCase(t: 400, n: 350, c: 270, exact: false)
      with(variant: variant, gradients: path) {
        let dx = largestDifference(
          example.inputGradient(accumulate: true), example.naiveInputGradient(accumulate: true))
        #expect(dx < 2 * Double(example.n) * 0x1p-24)
        let dw = ProductCase.unpack(example.weightGradient(), n: example.n, c: example.c)
        #expect(largestDifference(dw, example.naiveWeightGradient()) < 2 * Double(example.t) * 0x1p-24)
      }
    }

    @Test(arguments: variants) func weightGradientAddsTokensInAscendingOrder(variant: String) {
      let example = ProductCase(t: 600, n: 40, c: 30, exact: false)
      var expected = example.dw
      for i in 0..<example.t {
        for j in 0..<example.n {
          for k in 0..<example.c {
            let (a, b) = (example.x[i * example.c + k], example.dy[i * example.n + j])
            let sum = expected[j * example.c + k]
            expected[j * example.c + k] = variant == "plain" ? sum + a * b : sum.addingProduct(a, b)
          }
        }
      }
      with(variant: variant, gradients: "own") {
        #expect(ProductCase.unpack(example.weightGradient(), n: 40, c: 30).bits == expected.bits)
      }
    }

    @Test(arguments: variants, paths) func threadsDoNotChangeBits(variant: String, path: String) {
      for (t, n, c) in [(300, 300, 530), (9, 900, 500), (700, 64, 64)] {
        let example = ProductCase(t: t, n: n, c: c, exact: false)
        func bits(_ threads: Int32) -> [[UInt32]] {
          with(variant: variant, threads: threads, gradients: path) {
            [example.inputGradient(accumulate: true).bits, example.weightGradient().bits]
          }
        }
        let one = bits(1)
        #expect(bits(2) == one, "\(example)")
        #expect(bits(3) == one, "\(example)")
      }
    }

    @Test(arguments: paths) func paddingStaysZero(path: String) {
      let example = ProductCase(t: 20, n: 37, c: 11, exact: false)
      with(gradients: path) {
        let dw = example.weightGradient()
        for column in 0..<11 {
          for row in 37..<64 { #expect(dw[32 * 11 + column * 32 + row % 32] == 0) }
        }
      }
    }

    @Test(arguments: variants) func biasGradientAddsColumnsInAscendingOrder(variant: String) {
      for (t, n) in [(0, 5), (1, 1), (9, 67), (100, 600), (300, 257)] {
        let example = ProductCase(t: t, n: n, c: 0, exact: false)
        var expected = example.bias
        for i in 0..<t {
          for j in 0..<n { expected[j] += example.dy[i * n + j] }
        }
        with(variant: variant) {
          var db = example.bias
          gk_bias_gradient(example.dy, &db, t, n)
          #expect(db.bits == expected.bits, "T \(t) N \(n)")
        }
      }
    }
  }
}
