import Kernels

/// y = x · wᵀ + b.
package struct Linear {
  let weight: Parameter
  let bias: Parameter?

  init(_ name: String, inputs: Int, outputs: Int, bias: Bool = false, in store: ParameterStore) {
    weight = store.matrix(name + ".weight", outputs, inputs)
    self.bias = bias ? store.vector(name + ".bias", outputs, .zeros) : nil
  }

  /// Some of the outputs of a fused projection, whose weight is name.weight [outputs, inputs]; without bias.
  init(rows: Range<Int>, of name: String, inputs: Int, outputs: Int, in store: ParameterStore) {
    weight = store.matrix(
      rows.count, inputs, at: .rows(from: rows.lowerBound, of: name + ".weight", outputs, inputs))
    bias = nil
  }

  init(weight: Parameter, bias: Parameter? = nil) {
    self.weight = weight
    self.bias = bias
  }

  var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }

  /// x[T, inputs] → y[T, outputs].
  func forward(_ x: Matrix, _ pass: Pass) -> Matrix {
    let y = pass.workspace.matrix(x.rows, weight.shape[0])
    product(x, pass.parameters.weights(weight), bias: bias.map(pass.parameters.vector), into: y)
    return y
  }

  /// dw += dyᵀ · x, unless frozen; dx = dy · w, or added to dx.
  func backward(
    _ dy: Matrix, x: Matrix, into dx: Matrix, accumulate: Bool = false, isFrozen: Bool = false, _ pass: Pass
  ) {
    if !isFrozen {
      productWeightGradient(dy, x, addingTo: pass.parameters.weightGradient(weight))
      if let bias { biasGradient(dy, addingTo: pass.parameters.vectorGradient(bias)) }
    }
    productInputGradient(dy, pass.parameters.weights(weight), into: dx, accumulate: accumulate)
  }
}
