#if os(Linux)
  import Glibc
#endif

/// Rows of float32 activations: row-major, contiguous, borrowed from a ``Workspace`` or a buffer that outlives it.
package struct Matrix {
  package let start: UnsafeMutablePointer<Float>
  package let rows: Int
  package let columns: Int

  package init(start: UnsafeMutablePointer<Float>, rows: Int, columns: Int) {
    self.start = start
    self.rows = rows
    self.columns = columns
  }

  package var count: Int { rows * columns }

  /// Rows `range` of this matrix, without a copy.
  package func rows(_ range: Range<Int>) -> Matrix {
    Matrix(start: start + range.lowerBound * columns, rows: range.count, columns: columns)
  }

  /// The same numbers as rows of `columns`: heads apart, say.
  package func reshaped(columns: Int) -> Matrix {
    Matrix(start: start, rows: count / columns, columns: columns)
  }

  package var elements: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: start, count: count) }

  package subscript(row: Int, column: Int) -> Float { start[row * columns + column] }
}

/// Rows that an operation takes: all of a matrix, or those that an index names, in its order.
package struct Rows {
  package let matrix: Matrix
  package let index: Indices?

  package init(_ matrix: Matrix, _ index: Indices? = nil) {
    self.matrix = matrix
    self.index = index
  }

  package var count: Int { index?.count ?? matrix.rows }
}

/// A row for each token: those of a matrix, or each of some rows that an index [T · parts] names, one after the other.
package struct TokenRows {
  package let matrix: Matrix
  package let index: Indices?
  package let parts: Int

  package init(_ matrix: Matrix) {
    (self.matrix, index, parts) = (matrix, nil, 1)
  }

  package init(_ matrix: Matrix, _ index: Indices, parts: Int) {
    (self.matrix, self.index, self.parts) = (matrix, index, parts)
  }

  /// Of a token's row.
  package var columns: Int { parts * matrix.columns }
}

/// int32 indices, borrowed from a ``Workspace``.
package struct Indices {
  package let start: UnsafeMutablePointer<Int32>
  package let count: Int

  package subscript(position: Int) -> Int { Int(start[position]) }

  /// A part of these indices, without a copy.
  package subscript(range: Range<Int>) -> Indices { Indices(start: start + range.lowerBound, count: range.count) }
}

/// Memory aligned to cache lines, uninitialised, freed with its owner.
package final class Buffer {
  package private(set) var start: UnsafeMutableRawPointer
  package private(set) var bytes: Int

  package init(bytes: Int) {
    self.bytes = max(bytes, 64)
    start = Self.allocate(self.bytes)
  }

  /// Room for `count` floats, all 0.
  package convenience init(zeros count: Int) {
    self.init(zeroBytes: count * MemoryLayout<Float>.stride)
  }

  /// Room for `count` bytes, all 0.
  package convenience init(zeroBytes count: Int) {
    self.init(bytes: count)
    start.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
  }

  /// A copy of another's bytes.
  package convenience init(copying other: Buffer) {
    self.init(bytes: other.bytes)
    start.copyMemory(from: other.start, byteCount: other.bytes)
  }

  deinit { start.deallocate() }

  /// What is large is asked for in large pages: kernels that stream through weights wait less for translations of
  /// addresses.
  private static func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
    let page = 2 << 20
    guard bytes >= 2 * page else { return .allocate(byteCount: bytes, alignment: 64) }
    let start = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: page)
    #if os(Linux)
      // Only a hint: where the system refuses, small pages do.
      _ = madvise(start, bytes, MADV_HUGEPAGE)
    #endif
    return start
  }

  package var floats: UnsafeMutablePointer<Float> { start.assumingMemoryBound(to: Float.self) }
  /// As numbers of 16 bits.
  package var halves: UnsafeMutablePointer<UInt16> { start.assumingMemoryBound(to: UInt16.self) }

  /// Makes room for `wanted` bytes, keeping what is there.
  package func grow(toBytes wanted: Int) {
    guard wanted > bytes else { return }
    let larger = Self.allocate(wanted)
    larger.copyMemory(from: start, byteCount: bytes)
    start.deallocate()
    (start, bytes) = (larger, wanted)
  }
}
