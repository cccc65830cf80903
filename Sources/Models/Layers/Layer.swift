import Kernels

/// A part of a decoder layer: attention, or a feed-forward.
package protocol Layer {
  /// Computes from x[T, C] what ``Record/output(into:_:)`` and the way back need. It stays in the workspace; x is not kept.
  func keep(_ x: Matrix, _ pass: Pass) -> any Record

  /// The record that ``keep(_:_:)`` would make, of rows that other passes have computed.
  func record(of rows: inout KeptRows, _ pass: Pass) -> any Record
}

/// What a layer keeps of its forward pass, and the way back through it. What is cheap to make again is not kept.
package protocol Record {
  /// What it keeps, as matrices of a row for each token; ``Layer/record(of:_:)`` takes them in this order.
  func rows(_ pass: Pass) -> [TokenRows]

  /// Writes y[T, C].
  func output(into y: Matrix, _ pass: Pass)

  /// Adds the gradients of the layer's parameters, and writes the gradient of its input, dx, from that of its output, dy;
  /// x as the forward pass had it. Uses the record up.
  func backward(_ dy: Matrix, x: Matrix, into dx: Matrix, _ pass: Pass)
}
