/// Memory for the activations of one pass: handed out in order, given back all at once or down to a mark, kept for the
/// next pass. Nothing is allocated once the passes have reached their size.
package final class Workspace {
  private var blocks: [Buffer] = []
  private var block = 0
  private var offset = 0
  /// Where what is held ends.
  private var floor = Mark(block: 0, offset: 0)

  package init() {}

  /// How much has been handed out.
  package struct Mark {
    fileprivate let block: Int
    fileprivate let offset: Int
  }

  package var mark: Mark { Mark(block: block, offset: offset) }

  /// Gives back everything handed out since `mark`.
  package func release(to mark: Mark) {
    block = mark.block
    offset = mark.offset
  }

  /// Gives back everything that is not held.
  package func reset() { release(to: floor) }

  /// Gives back everything, and makes one block of several: in it passes of every layout use the same memory, where of
  /// several each would leave other ends unused.
  package func unite() {
    releaseHeld()
    guard blocks.count > 1 else { return }
    let bytes = capacity
    blocks = []
    blocks = [Buffer(bytes: bytes)]
  }

  /// Holds everything handed out until now, whatever passes come, until ``releaseHeld()``.
  package func hold() { floor = mark }

  /// Lends `body` what has not been handed out: whatever passes it runs, what has been stays as it is.
  package func lend<Result>(_ body: () throws -> Result) rethrows -> Result {
    let (mark, floor) = (self.mark, self.floor)
    self.floor = mark
    defer {
      release(to: mark)
      self.floor = floor
    }
    return try body()
  }

  /// Gives back everything.
  package func releaseHeld() {
    floor = Mark(block: 0, offset: 0)
    reset()
  }

  /// Gives back everything, and the memory itself.
  package func free() {
    releaseHeld()
    blocks = []
  }

  /// Bytes held, in use or not.
  private var capacity: Int { blocks.reduce(0) { $0 + $1.bytes } }

  private func take(bytes: Int) -> UnsafeMutableRawPointer {
    let size = (bytes + 63) & ~63
    while block < blocks.count {
      if offset + size <= blocks[block].bytes {
        defer { offset += size }
        return blocks[block].start + offset
      }
      block += 1
      offset = 0
    }
    // The system gives memory as it is touched: what a large block has left over costs nothing, and a few large ones are
    // seldom to be united.
    blocks.append(Buffer(bytes: max(size, 1 << 28)))
    offset = size
    return blocks[block].start
  }

  /// An uninitialised matrix: whoever takes it writes all of it.
  package func matrix(_ rows: Int, _ columns: Int) -> Matrix {
    let start = take(bytes: rows * columns * MemoryLayout<Float>.stride).assumingMemoryBound(to: Float.self)
    return Matrix(start: start, rows: rows, columns: columns)
  }

  package func zeros(_ rows: Int, _ columns: Int) -> Matrix {
    let matrix = matrix(rows, columns)
    matrix.start.update(repeating: 0, count: matrix.count)
    return matrix
  }

  package func indices(_ count: Int) -> Indices {
    Indices(start: take(bytes: count * MemoryLayout<Int32>.stride).assumingMemoryBound(to: Int32.self), count: count)
  }

  package func indices(_ values: [Int32]) -> Indices {
    let indices = indices(values.count)
    values.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { indices.start.update(from: base, count: values.count) }
    }
    return indices
  }
}
