import CKernels

// The forward products of one factor.

func productOfOne(
  _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ bias: UnsafePointer<Float>?,
  _ y: UnsafeMutablePointer<Float>, _ t: Int, _ n: Int, _ c: Int
) {
  gk_product(x, [gk_factor(w: w, bias: bias, y: y, n: n)], 1, t, c)
}

func halfProductOfOne(
  _ x: UnsafePointer<Float>, _ w: UnsafePointer<UInt16>, _ bias: UnsafePointer<Float>?,
  _ y: UnsafeMutablePointer<Float>, _ t: Int, _ n: Int, _ c: Int
) {
  gk_bfloat16_product(x, [gk_bfloat16_factor(w: w, bias: bias, y: y, n: n)], 1, t, c)
}

func groupedProductOfOne(
  _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ bias: UnsafePointer<Float>?,
  _ y: UnsafeMutablePointer<Float>, _ offsets: UnsafePointer<Int32>, _ experts: Int, _ n: Int, _ c: Int,
  rows: UnsafePointer<Int32>? = nil
) {
  gk_grouped_product(x, rows, [gk_factor(w: w, bias: bias, y: y, n: n)], 1, offsets, experts, c)
}

func groupedHalfProductOfOne(
  _ x: UnsafePointer<Float>, _ w: UnsafePointer<UInt16>, _ bias: UnsafePointer<Float>?,
  _ y: UnsafeMutablePointer<Float>, _ offsets: UnsafePointer<Int32>, _ experts: Int, _ n: Int, _ c: Int,
  rows: UnsafePointer<Int32>? = nil
) {
  gk_bfloat16_grouped_product(x, rows, [gk_bfloat16_factor(w: w, bias: bias, y: y, n: n)], 1, offsets, experts, c)
}

/// Several factors of the same rows, which belong to experts or to one. Every other factor has a bias.
struct ProductJoint: CustomStringConvertible {
  let rows: [Int]
  let c: Int
  /// Of each factor, each expert's product.
  let factors: [[ProductCase]]

  init(rows: [Int], outputs: [Int], c: Int, exact: Bool) {
    self.rows = rows
    self.c = c
    let x = rows.enumerated().map { ProductCase(t: $1, n: 1, c: c, exact: exact, seed: UInt64($0) + 1).x }
    factors = outputs.enumerated().map { factor, n in
      rows.enumerated().map { expert, t in
        var part = ProductCase(t: t, n: n, c: c, exact: exact, seed: UInt64(100 * factor + expert) + 1)
        part.x = x[expert]
        return part
      }
    }
  }

  var description: String { "rows \(rows) N \(factors.map { $0[0].n }) C \(c)" }

  /// The same of each factor and expert alone, one after the other.
  func alone<Number>(_ product: (_ part: ProductCase, _ bias: Bool) -> [Number]) -> [Number] {
    factors.enumerated().flatMap { factor, parts in parts.flatMap { product($0, hasBias(factor)) } }
  }

  func product() -> [Float] {
    together(factors.map { $0.flatMap(\.packed) }, gk_factor.init(w:bias:y:n:)) { x, factors, offsets in
      if rows.count == 1 {
        gk_product(x, factors, factors.count, rows[0], c)
      } else {
        gk_grouped_product(x, nil, factors, factors.count, offsets, rows.count, c)
      }
    }
  }

  func halfProduct() -> [Float] {
    together(factors.map { $0.flatMap(\.halves) }, gk_bfloat16_factor.init(w:bias:y:n:)) { x, factors, offsets in
      if rows.count == 1 {
        gk_bfloat16_product(x, factors, factors.count, rows[0], c)
      } else {
        gk_bfloat16_grouped_product(x, nil, factors, factors.count, offsets, rows.count, c)
      }
    }
  }

  private func hasBias(_ factor: Int) -> Bool { factor % 2 == 1 }

  /// The factors' y, one after the other.
  private func together<Weight, Factor>(
    _ weights: [[Weight]],
    _ factor: (UnsafePointer<Weight>?, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?, Int) -> Factor,
    _ multiply: (_ x: [Float], _ factors: [Factor], _ offsets: [Int32]) -> Void
  ) -> [Float] {
    let biases = factors.map { $0.flatMap(\.bias) }
    let total = rows.reduce(0, +)
    var y = unwritten(factors.reduce(0) { $0 + total * $1[0].n })
    func run(_ w: UnsafePointer<Weight>, _ bias: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
      var (w, bias, y, pointers) = (w, bias, y, [Factor]())
      for (i, parts) in factors.enumerated() {
        pointers.append(factor(w, hasBias(i) ? bias : nil, y, parts[0].n))
        w += weights[i].count
        bias += biases[i].count
        y += total * parts[0].n
      }
      multiply(
        factors[0].flatMap(\.x), pointers, rows.reduce(into: [0]) { $0.append($0[$0.count - 1] + Int32($1)) })
    }
    run(weights.flatMap { $0 }, biases.flatMap { $0 }, &y)
    return y
  }
}
