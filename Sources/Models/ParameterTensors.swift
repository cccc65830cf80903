import Kernels

/// Tensors as checkpoints hold them, to and from the parameters that they are made of.
extension ParameterStore {
  /// Sets the parameters of a tensor; `elements` has ``StoredTensor/count`` floats, row-major.
  package func set(_ tensor: StoredTensor, from elements: UnsafeBufferPointer<Float>) {
    guard elements.count == tensor.count, let base = elements.baseAddress else { return }
    for parameter in tensor.parameters {
      if parameter.isWhole {
        set(parameter, from: elements)
      } else {
        withScratch(parameter.count) { part in
          parameter.forEachElement { index, place in part[index] = base[place] }
          set(parameter, from: UnsafeBufferPointer(part))
        }
      }
    }
  }

  /// Writes a tensor from its parameters' values, or from a `buffer` laid out as they are.
  package func get(_ tensor: StoredTensor, into elements: UnsafeMutableBufferPointer<Float>, of buffer: Matrix? = nil) {
    guard elements.count == tensor.count, let base = elements.baseAddress else { return }
    for parameter in tensor.parameters {
      if parameter.isWhole {
        get(parameter, into: elements, of: buffer)
      } else {
        withScratch(parameter.count) { part in
          get(parameter, into: part, of: buffer)
          parameter.forEachElement { index, place in base[place] = part[index] }
        }
      }
    }
  }

  private func withScratch(_ count: Int, _ body: (UnsafeMutableBufferPointer<Float>) -> Void) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { part in
      part.initialize(repeating: 0)
      body(part)
    }
  }
}

extension Parameter {
  /// Whether it is all of its tensor, in the same order.
  fileprivate var isWhole: Bool {
    placement.offset == 0 && placement.columnStride == 1 && count == placement.shape.reduce(1, *)
      && (rows == 1 || placement.rowStride == columns)
  }

  /// Each element's index in row-major order, and its place in the tensor.
  @inline(__always)
  fileprivate func forEachElement(_ body: (_ index: Int, _ place: Int) -> Void) {
    for row in 0..<rows {
      let start = placement.offset + row * placement.rowStride
      for column in 0..<columns { body(row * columns + column, start + column * placement.columnStride) }
    }
  }
}
