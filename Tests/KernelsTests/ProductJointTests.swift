import Testing

extension KernelSuite {
  @Suite struct ProductJointTests {
    /// One expert's few rows and many, and experts' with none among them; widths around panels, wide beside narrow, and
    /// random ones.
    static func cases(exact: Bool) -> [ProductJoint] {
      let rows = (1...9).map { [$0] } + [[0], [150], [3, 0, 1, 12, 0, 97, 2, 0], [0, 0], [1, 1, 1, 1, 1]]
      var numbers = Numbers(seed: 9)
      return rows.enumerated().map { i, rows in
        let random = (0...i % 4).map { _ in 1 + numbers.below(200) }
        return ProductJoint(
          rows: rows, outputs: i % 3 == 0 ? [64, 32, 32] : i % 3 == 1 ? [300, 1, 33] : random,
          c: 1 + numbers.below(600), exact: exact)
      } + [ProductJoint(rows: [4], outputs: [0, 40, 0], c: 20, exact: exact)]
    }

    @Test(arguments: variants) func equalsItsTwinExactly(variant: String) {
      for joint in Self.cases(exact: true) {
        for threads: Int32 in [1, 2] {
          with(variant: variant, threads: threads) {
            #expect(joint.product().doubles == joint.alone { $0.naiveProduct(bias: $1) }, "\(joint)")
          }
        }
      }
    }

    @Test(arguments: bfloat16Variants) func ofBFloat16EqualsItsTwinExactly(variant: String) {
      for joint in Self.cases(exact: true) {
        for threads: Int32 in [1, 2] {
          with(variant: variant, threads: threads) {
            #expect(joint.halfProduct().doubles == joint.alone { $0.naiveProduct(bias: $1) }, "\(joint)")
          }
        }
      }
    }

    @Test(arguments: variants) func hasTheBitsOfEachFactorAlone(variant: String) {
      for joint in Self.cases(exact: false) {
        let alone = with(variant: variant, threads: 1) { joint.alone { $0.product(bias: $1) }.bits }
        for threads: Int32 in [1, 2, 3] {
          #expect(with(variant: variant, threads: threads) { joint.product().bits } == alone, "\(joint)")
        }
      }
    }

    @Test(arguments: bfloat16Variants) func ofBFloat16HasTheBitsOfEachFactorAlone(variant: String) {
      for joint in Self.cases(exact: false) {
        let alone = with(variant: variant, threads: 1) { joint.alone { $0.halfProduct(bias: $1) }.bits }
        for threads: Int32 in [1, 2, 3] {
          #expect(with(variant: variant, threads: threads) { joint.halfProduct().bits } == alone, "\(joint)")
        }
      }
    }
  }
}
