/// One matrix or vector of a model: where its numbers lie in the ``ParameterStore``, and in the checkpoint.
package struct Parameter {
  /// How a new model fills it.
  package enum Start {
    case normal
    case ones
    case zeros
  }

  /// What is computed with it, which says how it lies in the store.
  package enum Kind {
    /// [outputs, inputs], in packed form: a product's weights.
    case matrix
    /// [channels], or [experts, channels]: row-major.
    case vector
  }

  package let kind: Kind
  /// Two dimensions for a matrix.
  package let shape: [Int]
  package let start: Start
  package let placement: Placement
  /// Whether training changes it: a router's correction bias it does not.
  package let isTrained: Bool
  /// Whether it is float32 in every model: all vectors, and a router's matrix, whose choice hangs on small differences.
  package let isSingle: Bool
  /// Its number in the store, in order of declaration.
  let index: Int

  package var count: Int { shape.reduce(1, *) }
  /// Rows and columns of its row-major form.
  var rows: Int { shape.count == 2 ? shape[0] : 1 }
  var columns: Int { shape.last ?? 0 }
  /// Whether weight decay acts on it: the stored tensor has two dimensions or more.
  package var decays: Bool { placement.shape.count >= 2 }
}

/// Where a parameter lies in a tensor of the checkpoint: element (r, c) of its row-major form is the tensor's element
/// offset + r · rowStride + c · columnStride. A whole tensor, a slice of a fused one, a transposed one.
package struct Placement: Equatable {
  /// The tensor's name in transformers.
  package let tensor: String
  /// The tensor's shape.
  package let shape: [Int]
  let offset: Int
  let rowStride: Int
  let columnStride: Int

  /// The whole tensor.
  init(_ tensor: String, _ shape: [Int]) {
    self.init(tensor, shape, offset: 0, rowStride: shape.count > 1 ? shape[shape.count - 1] : 0)
  }

  init(_ tensor: String, _ shape: [Int], offset: Int, rowStride: Int, columnStride: Int = 1) {
    self.tensor = tensor
    self.shape = shape
    self.offset = offset
    self.rowStride = rowStride
    self.columnStride = columnStride
  }

  /// Rows from `first` on of a matrix [rows, columns].
  static func rows(from first: Int, of tensor: String, _ rows: Int, _ columns: Int) -> Placement {
    Placement(tensor, [rows, columns], offset: first * columns, rowStride: columns)
  }

  /// Rows from `first` on of matrix `index` in a stack [count, rows, columns].
  static func slice(_ index: Int, rowsFrom first: Int = 0, of tensor: String, _ shape: [Int]) -> Placement {
    Placement(tensor, shape, offset: (index * shape[1] + first) * shape[2], rowStride: shape[2])
  }
}

/// A tensor of the checkpoint and the parameters that it is made of.
package struct StoredTensor {
  package let name: String
  package let shape: [Int]
  package let parameters: [Parameter]
  package var isTrained: Bool { parameters.allSatisfy(\.isTrained) }
  package var count: Int { shape.reduce(1, *) }
}
