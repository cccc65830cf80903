import Values

/// A Hugging Face tensor within a GGUF file.
struct GGUFView {
  enum Arrangement {
    /// Elements in the file's order.
    case plain
    /// The file has the rows of each head interleaved: 0, n, 1, n + 1, … where n is half the rows of a head.
    case interleaved(half: Int)
    /// The file's numbers are larger by 1.
    case shifted
    /// For each head the transpose of a matrix [rank, size] of the file, then a matrix [rows, rank] of another
    /// tensor's.
    case latent(values: GGUFFile.Tensor)
    /// Parts of a stack of experts.
    case stacked([(tensor: GGUFFile.Tensor, stacking: GGUFStacking)])
  }

  let tensor: GGUFFile.Tensor
  var firstElement = 0
  let shape: [Int]
  var arrangement = Arrangement.plain

  /// Decodes some rows, which run over all dimensions but the last; `destination` has their size.
  func read(
    rows: Range<Int>, from file: GGUFFile, into destination: UnsafeMutableBufferPointer<Float>
  ) throws(GRAOError) {
    let first = firstElement + rows.lowerBound * (shape.last ?? 1)
    switch arrangement {
    case .plain:
      try file.read(tensor, from: first, into: destination)
      file.forget(tensor, from: first, destination.count)
    case .interleaved(let half):
      try readInterleaved(file, half, rows, destination)
      file.forget(tensor, from: firstElement, shape.reduce(1, *))
    case .shifted:
      try file.read(tensor, from: first, into: destination)
      for index in destination.indices { destination[index] -= 1 }
    case .latent(let values):
      try readLatent(file, values, rows, destination)
      file.forget(tensor, from: 0, tensor.shape.reduce(1, *))
      file.forget(values, from: 0, values.shape.reduce(1, *))
    case .stacked(let parts): try readStacked(file, parts, rows, destination)
    }
  }

  private func readInterleaved(
    _ file: GGUFFile, _ half: Int, _ rows: Range<Int>, _ destination: UnsafeMutableBufferPointer<Float>
  ) throws(GRAOError) {
    // A vector's numbers are interleaved as a matrix's rows are.
    let width = shape.count > 1 ? shape[shape.count - 1] : 1
    let first = shape.count > 1 ? rows.lowerBound : 0
    for index in 0..<destination.count / max(width, 1) {
      try file.read(
        tensor, from: firstElement + interleavedRow(first + index, half) * width,
        into: UnsafeMutableBufferPointer(rebasing: destination[index * width..<(index + 1) * width]))
    }
  }

  /// Expert by expert: those that the rows begin and end in are decoded whole.
  private func readStacked(
    _ file: GGUFFile, _ parts: [(tensor: GGUFFile.Tensor, stacking: GGUFStacking)], _ rows: Range<Int>,
    _ destination: UnsafeMutableBufferPointer<Float>
  ) throws(GRAOError) {
    let width = shape.last ?? 1
    let size = shape.dropFirst().reduce(1, *)
    let elements = rows.lowerBound * width..<rows.upperBound * width
    let expert = UnsafeMutableBufferPointer<Float>.allocate(capacity: size)
    defer { expert.deallocate() }
    for index in elements.lowerBound / size..<(elements.upperBound + size - 1) / size {
      for part in parts { try read(part.tensor, part.stacking, expert: index, of: file, into: expert) }
      let begin = index * size
      for element in max(begin, elements.lowerBound)..<min(begin + size, elements.upperBound) {
        destination[element - elements.lowerBound] = expert[element - begin]
      }
    }
  }

  private func read(
    _ part: GGUFFile.Tensor, _ stacking: GGUFStacking, expert: Int, of file: GGUFFile,
    into destination: UnsafeMutableBufferPointer<Float>
  ) throws(GRAOError) {
    let (rows, columns) = (part.shape[1], part.shape.count == 3 ? part.shape[2] : 1)
    let one = UnsafeMutableBufferPointer<Float>.allocate(capacity: rows * columns)
    defer { one.deallocate() }
    try file.read(part, from: expert * rows * columns, into: one)
    stacking.forEachElement(of: rows, columns) { index, place in destination[place] = one[index] }
    file.forget(part, from: expert * rows * columns, one.count)
  }

  /// Head by head: those that the rows begin and end in are decoded whole.
  private func readLatent(
    _ file: GGUFFile, _ values: GGUFFile.Tensor, _ rows: Range<Int>, _ destination: UnsafeMutableBufferPointer<Float>
  ) throws(GRAOError) {
    let (rank, keySize, valueSize) = (tensor.shape[1], tensor.shape[2], values.shape[1])
    let size = keySize + valueSize
    let keys = UnsafeMutableBufferPointer<Float>.allocate(capacity: rank * keySize)
    let head = UnsafeMutableBufferPointer<Float>.allocate(capacity: rank * size)
    defer {
      keys.deallocate()
      head.deallocate()
    }
    var row = rows.lowerBound
    while row < rows.upperBound {
      let (index, place) = row.quotientAndRemainder(dividingBy: size)
      try file.read(tensor, from: index * rank * keySize, into: keys)
      for key in 0..<keySize {
        for column in 0..<rank { head[key * rank + column] = keys[column * keySize + key] }
      }
      try file.read(
        values, from: index * valueSize * rank, into: UnsafeMutableBufferPointer(rebasing: head[(keySize * rank)...]))
      let count = min(size - place, rows.upperBound - row)
      let start = (row - rows.lowerBound) * rank
      for element in 0..<count * rank { destination[start + element] = head[place * rank + element] }
      row += count
    }
  }
}

/// Where row `row` of a matrix lies among the interleaved rows of its heads.
func interleavedRow(_ row: Int, _ half: Int) -> Int {
  let (head, place) = row.quotientAndRemainder(dividingBy: 2 * half)
  return head * 2 * half + place % half * 2 + place / half
}
