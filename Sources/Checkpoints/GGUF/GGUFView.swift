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

  /// Decodes it; `destination` has the size of the tensor.
  func read(from file: GGUFFile, into destination: UnsafeMutableBufferPointer<Float>) throws(GRAOError) {
    switch arrangement {
    case .plain: try file.read(tensor, from: firstElement, into: destination)
    case .interleaved(let half): try readInterleaved(file, half, destination)
    case .shifted:
      try file.read(tensor, from: firstElement, into: destination)
      for index in destination.indices { destination[index] -= 1 }
    case .latent(let values): try readLatent(file, values, destination)
    case .stacked(let parts): for part in parts { try read(part.tensor, part.stacking, of: file, into: destination) }
    }
  }

  private func readInterleaved(
    _ file: GGUFFile, _ half: Int, _ destination: UnsafeMutableBufferPointer<Float>
  ) throws(GRAOError) {
    let rows = shape[0]
    let width = destination.count / max(rows, 1)
    for row in 0..<rows {
      try file.read(
        tensor, from: firstElement + interleavedRow(row, half) * width,
        into: UnsafeMutableBufferPointer(rebasing: destination[row * width..<(row + 1) * width]))
    }
  }

  private func read(
    _ part: GGUFFile.Tensor, _ stacking: GGUFStacking, of file: GGUFFile,
    into destination: UnsafeMutableBufferPointer<Float>
  ) throws(GRAOError) {
    let (experts, rows) = (part.shape[0], part.shape[1])
    let columns = part.shape.count == 3 ? part.shape[2] : 1
    let one = UnsafeMutableBufferPointer<Float>.allocate(capacity: rows * columns)
    defer { one.deallocate() }
    for expert in 0..<experts {
      let start = expert * (destination.count / experts)
      try file.read(part, from: expert * rows * columns, into: one)
      stacking.forEachElement(of: rows, columns) { index, place in destination[start + place] = one[index] }
    }
  }

  private func readLatent(
    _ file: GGUFFile, _ values: GGUFFile.Tensor, _ destination: UnsafeMutableBufferPointer<Float>
  ) throws(GRAOError) {
    let (heads, rank, keySize, valueSize) = (tensor.shape[0], tensor.shape[1], tensor.shape[2], values.shape[1])
    let keys = UnsafeMutableBufferPointer<Float>.allocate(capacity: rank * keySize)
    defer { keys.deallocate() }
    for head in 0..<heads {
      let start = head * (keySize + valueSize) * rank
      try file.read(tensor, from: head * rank * keySize, into: keys)
      for row in 0..<keySize {
        for column in 0..<rank { destination[start + row * rank + column] = keys[column * keySize + row] }
      }
      let rest = start + keySize * rank
      try file.read(
        values, from: head * valueSize * rank,
        into: UnsafeMutableBufferPointer(rebasing: destination[rest..<rest + valueSize * rank]))
    }
  }
}

/// Where row `row` of a matrix lies among the interleaved rows of its heads.
func interleavedRow(_ row: Int, _ half: Int) -> Int {
  let (head, place) = row.quotientAndRemainder(dividingBy: 2 * half)
  return head * 2 * half + place % half * 2 + place / half
}
