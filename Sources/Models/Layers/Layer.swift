import Kernels

/// A part of a decoder layer: attention, or a feed-forward.
package protocol Layer {
  /// x[T, C] → y[T, C].
  func forward(_ x: Matrix, _ pass: Pass) -> (y: Matrix, kept: any Record)
}

/// What a layer keeps of its forward pass, and the way back through it.
package protocol Record {
  /// Adds the gradients of the layer's parameters, and returns the gradient of its input, dx, from that of its
  /// output, dy.
  func backward(_ dy: Matrix, _ pass: Pass) -> Matrix
}
