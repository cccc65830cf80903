import Kernels

/// y = x · w[e]ᵀ + b[e] for the rows of each expert e, which follow each other.
package struct GroupedLinear {
  /// One [outputs, inputs] for each expert.
  let weights: [Parameter]
  /// [E, outputs].
  var bias: Parameter?
  /// Parameters of one expert.
  var countOfOne: Int { weights[0].count + (bias?.shape[1] ?? 0) }

  /// x[R, inputs] → y[R, outputs]; offsets[E + 1].
  func forward(_ x: Matrix, _ offsets: Indices, into y: Matrix, _ pass: Pass) {
    groupedProduct(Rows(x), [factor(into: y, pass)], offsets: offsets)
  }

  fileprivate func factor(into y: Matrix, _ pass: Pass) -> Factor {
    Factor(pass.parameters.weights(weights), bias: bias.map(pass.parameters.vector), into: y)
  }

  /// Room for y of some rows.
  func room(_ rows: Int, _ pass: Pass) -> Matrix { pass.workspace.matrix(rows, weights[0].shape[0]) }

  /// Adds the gradients of weights and bias; dx = dy · w, or added to dx.
  func backward(
    _ dy: Matrix, x: Rows, _ offsets: Indices, into dx: Matrix, accumulate: Bool = false, _ pass: Pass
  ) {
    addWeightGradient(Rows(dy), x: x, offsets, pass)
    addBiasGradient(dy, offsets, pass)
    inputGradient(Rows(dy), offsets, into: dx, accumulate: accumulate, pass)
  }

  func addWeightGradient(_ dy: Rows, x: Rows, _ offsets: Indices, _ pass: Pass) {
    groupedProductWeightGradient(dy, x, offsets: offsets, addingTo: pass.parameters.weightGradient(weights))
  }

  func addBiasGradient(_ dy: Matrix, _ offsets: Indices, _ pass: Pass) {
    guard let bias else { return }
    groupedBiasGradient(
      dy, offsets: offsets, addingTo: pass.parameters.vectorGradient(bias).reshaped(columns: bias.shape[1]))
  }

  func inputGradient(_ dy: Rows, _ offsets: Indices, into dx: Matrix, accumulate: Bool = false, _ pass: Pass) {
    groupedProductInputGradient(
      dy, pass.parameters.weights(weights), offsets: offsets, into: dx, accumulate: accumulate)
  }
}

extension [GroupedLinear] {
  /// Each one's y of the same rows x[R, inputs], together.
  func forward(_ x: Rows, _ offsets: Kernels.Indices, into y: [Matrix], _ pass: Pass) {
    groupedProduct(x, zip(self, y).map { $0.factor(into: $1, pass) }, offsets: offsets)
  }
}

/// The three projections of a layer's experts, wherever they lie in the checkpoint.
struct ExpertWeights {
  /// F channels from C, F from C, and C from F.
  let gate, up, down: GroupedLinear
  var count: Int { gate.weights.count }
  /// Parameters of one expert.
  var countOfOne: Int { gate.countOfOne + up.countOfOne + down.countOfOne }
}
