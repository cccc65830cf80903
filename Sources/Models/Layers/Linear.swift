import Kernels

/// y = x · wᵀ + b.
package struct Linear {
  let weight: Parameter
  let bias: Parameter?

  /// - Parameter isSingle: whether it computes in float32 in every model.
  init(
    _ name: String, inputs: Int, outputs: Int, bias: Bool = false, isSingle: Bool = false, in store: ParameterStore
  ) {
    weight = store.matrix(name + ".weight", outputs, inputs, isSingle: isSingle)
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
  func forward(_ x: Matrix, _ pass: Pass) -> Matrix { [self].forward(x, pass)[0] }

  func forward(_ x: Matrix, into y: Matrix, _ pass: Pass) { product(x, [factor(into: y, pass)]) }

  fileprivate func factor(into y: Matrix, _ pass: Pass) -> Factor {
    Factor(pass.parameters.weights(weight), bias: bias.map(pass.parameters.vector), into: y)
  }

  /// dw += dyᵀ · x, unless frozen; dx = dy · w, or added to dx.
  func backward(
    _ dy: Matrix, x: Matrix, into dx: Matrix, accumulate: Bool = false, isFrozen: Bool = false, _ pass: Pass
  ) {
    if !isFrozen { addGradients(dy, x: x, pass) }
    inputGradient(dy, into: dx, accumulate: accumulate, pass)
  }

  func inputGradient(_ dy: Matrix, into dx: Matrix, accumulate: Bool = false, _ pass: Pass) {
    productInputGradient(dy, pass.parameters.weights(weight), into: dx, accumulate: accumulate)
  }

  /// dw += dyᵀ · x, and the bias's.
  func addGradients(_ dy: Matrix, x: Matrix, _ pass: Pass) {
    productWeightGradient(dy, x, addingTo: pass.parameters.weightGradient(weight))
    if let bias { biasGradient(dy, addingTo: pass.parameters.vectorGradient(bias)) }
  }
}

extension [Linear] {
  /// Each one's y of the same x[T, inputs], together.
  func forward(_ x: Matrix, _ pass: Pass) -> [Matrix] {
    let factors = map { $0.factor(into: pass.workspace.matrix(x.rows, $0.weight.shape[0]), pass) }
    product(x, factors)
    return factors.map(\.y)
  }
}
