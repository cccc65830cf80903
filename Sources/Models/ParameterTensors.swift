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
          parameter.forEachElement(of: 0..<parameter.rows) { index, place in part[index] = base[place] }
          set(parameter, from: UnsafeBufferPointer(part))
        }
      }
    }
  }

  /// Sets rows of a parameter, the first of which begins a panel, from a part of its tensor: its elements from number
  /// `start` on.
  func set(_ parameter: Parameter, rows: Range<Int>, from elements: UnsafeBufferPointer<Float>, startingAt start: Int) {
    guard let base = elements.baseAddress else { return }
    if parameter.hasTensorRows {
      set(parameter, rowsFrom: rows.lowerBound, elements)
    } else {
      withScratch(rows.count * parameter.columns) { part in
        parameter.forEachElement(of: rows) { index, place in part[index] = base[place - start] }
        set(parameter, rowsFrom: rows.lowerBound, UnsafeBufferPointer(part))
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
          parameter.forEachElement(of: 0..<parameter.rows) { index, place in base[place] = part[index] }
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

  /// Columns of its tensor, whose rows run over all dimensions but the last.
  var tensorColumns: Int { placement.shape.last ?? 1 }

  /// Whether its rows are rows of its tensor, one after the other.
  fileprivate var hasTensorRows: Bool {
    placement.columnStride == 1 && columns == tensorColumns && (rows == 1 || placement.rowStride == columns)
      && placement.offset.isMultiple(of: max(columns, 1))
  }

  /// How many of its rows are read at once: whole panels, of about a megabyte. All, where they lie across the rows of the
  /// tensor.
  var rowsAtOnce: Int {
    guard kind == .matrix, placement.rowStride >= tensorColumns else { return max(rows, 1) }
    return max((1 << 18) / max(columns, 1) / PackedWeights.panel, 1) * PackedWeights.panel
  }

  /// The rows of its tensor that some of its rows lie in.
  func tensorRows(of rows: Range<Int>) -> Range<Int> {
    let width = max(tensorColumns, 1)
    let first = placement.offset + rows.lowerBound * placement.rowStride
    let last =
      placement.offset + (rows.upperBound - 1) * placement.rowStride + max(columns - 1, 0) * placement.columnStride
    return first / width..<last / width + 1
  }

  /// Each element of some rows: its index in their row-major order, and its place in the tensor.
  @inline(__always)
  fileprivate func forEachElement(of rows: Range<Int>, _ body: (_ index: Int, _ place: Int) -> Void) {
    for row in rows {
      let start = placement.offset + row * placement.rowStride
      for column in 0..<columns {
        body((row - rows.lowerBound) * columns + column, start + column * placement.columnStride)
      }
    }
  }
}
