import CKernels

/// Operands of a product y[T, N] = x[T, C] · w[N, C]ᵀ and of its gradients.
struct ProductCase: CustomStringConvertible {
  let t: Int
  let n: Int
  let c: Int
  var x: [Float]
  let w: [Float]
  let bias: [Float]
  let dy: [Float]
  /// What gradients are added to.
  let dx: [Float]
  let dw: [Float]

  init(t: Int, n: Int, c: Int, exact: Bool, seed: UInt64 = 1) {
    var numbers = Numbers(seed: seed &+ UInt64(t * 1_000_000 + n * 1000 + c))
    func draw(_ count: Int) -> [Float] { exact ? numbers.integers(count) : numbers.reals(count) }
    (self.t, self.n, self.c) = (t, n, c)
    x = draw(t * c)
    w = draw(n * c)
    bias = draw(n)
    dy = draw(t * n)
    dx = draw(t * c)
    dw = draw(n * c)
  }

  var description: String { "T \(t) N \(n) C \(c)" }

  static func pack(_ w: [Float], n: Int, c: Int) -> [Float] {
    var packed = [Float](repeating: .nan, count: gk_packed_count(n, c))
    gk_pack(w, &packed, n, c)
    return packed
  }

  static func unpack(_ packed: [Float], n: Int, c: Int) -> [Float] {
    var w = [Float](repeating: .nan, count: n * c)
    gk_unpack(packed, &w, n, c)
    return w
  }

  var packed: [Float] { Self.pack(w, n: n, c: c) }

  // The kernels, into memory that holds NaN wherever they must write.

  func product(bias withBias: Bool = false) -> [Float] {
    var y = [Float](repeating: .nan, count: t * n)
    if withBias {
      productOfOne(x, packed, bias, &y, t, n, c)
    } else {
      productOfOne(x, packed, nil, &y, t, n, c)
    }
    return y
  }

  func inputGradient(accumulate: Bool) -> [Float] {
    var result = accumulate ? dx : [Float](repeating: .nan, count: t * c)
    gk_product_input_gradient(dy, packed, &result, t, n, c, accumulate)
    return result
  }

  /// Packed.
  func weightGradient() -> [Float] {
    var result = Self.pack(dw, n: n, c: c)
    gk_product_weight_gradient(dy, x, &result, t, n, c)
    return result
  }

  // Their naive twins.

  func naiveProduct(bias withBias: Bool = false) -> [Double] {
    var y = [Double](repeating: .nan, count: t * n)
    if withBias {
      naive_product(x.doubles, w.doubles, bias.doubles, &y, t, n, c)
    } else {
      naive_product(x.doubles, w.doubles, nil, &y, t, n, c)
    }
    return y
  }

  func naiveInputGradient(accumulate: Bool) -> [Double] {
    var result = accumulate ? dx.doubles : [Double](repeating: 0, count: t * c)
    naive_product_input_gradient(dy.doubles, w.doubles, &result, t, n, c)
    return result
  }

  func naiveWeightGradient() -> [Double] {
    var result = dw.doubles
    naive_product_weight_gradient(dy.doubles, x.doubles, &result, t, n, c)
    return result
  }
}

/// The largest difference of two arrays; infinite where one holds a NaN.
func largestDifference(_ a: [Float], _ b: [Double]) -> Double {
  zip(a, b).reduce(0) { largest, pair in
    let difference = abs(Double(pair.0) - pair.1)
    return difference.isNaN ? .infinity : max(largest, difference)
  }
}
