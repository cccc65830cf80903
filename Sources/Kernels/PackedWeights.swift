/// What products take their operands in: weights are kept in it, and activations are rounded to it where a product
/// begins. Sums, and everything else, are float32 in both.
public enum ComputeType: String, Sendable, CaseIterable {
  case float32
  case bfloat16
}

/// One or more matrices of weights w[outputs, inputs] in packed form, one after the other: the experts of a layer.
/// CKernels.h says how they lie (gk_packed_count, gk_bfloat16_packed_count).
package struct PackedWeights {
  /// A product computes in the type that its weights have.
  package enum Elements {
    case float32(UnsafeMutablePointer<Float>)
    case bfloat16(UnsafeMutablePointer<UInt16>)
  }

  /// Outputs of a panel. Those of different panels lie apart, so that a matrix may be packed some at a time.
  package static let panel = 32

  package let elements: Elements
  package let outputs: Int
  package let inputs: Int
  package let experts: Int

  package init(_ elements: Elements, outputs: Int, inputs: Int, experts: Int = 1) {
    self.elements = elements
    self.outputs = outputs
    self.inputs = inputs
    self.experts = experts
  }
}

/// The gradients of packed weights, float32 in packed form, for products that compute in `computeType`.
package struct PackedGradient {
  package let start: UnsafeMutablePointer<Float>
  package let computeType: ComputeType
  package let outputs: Int
  package let inputs: Int
  package let experts: Int

  package init(
    start: UnsafeMutablePointer<Float>, computeType: ComputeType, outputs: Int, inputs: Int, experts: Int = 1
  ) {
    self.start = start
    self.computeType = computeType
    self.outputs = outputs
    self.inputs = inputs
    self.experts = experts
  }
}
