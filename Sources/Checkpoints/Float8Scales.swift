import Values

/// How a config.json's `quantization_config` says that weights are stored in 8 bits: blocks of a matrix share a factor,
/// or all of it does.
struct Float8Quantization {
  /// Rows and columns of a block; nil where a tensor has one factor.
  private let block: (rows: Int, columns: Int)?
  private let path: String

  /// Nil for a model whose weights are stored as they are, or in MXFP4. Any other kind of quantization is an error that
  /// names it.
  init?(config: Table, path: String) throws(GRAOError) {
    guard let quantization = config["quantization_config"]?.unlessNull else { return nil }
    let what = "\(path)/config.json: quantization_config"
    guard let method = quantization["quant_method"]?.string else { throw GRAOError("\(what): expected a quant_method") }
    if method == "mxfp4" { return nil }
    guard method == "fp8" else {
      throw GRAOError("\(what): the quant_method \"\(method)\" is not supported; expected \"fp8\" or \"mxfp4\"")
    }
    if let scheme = quantization["activation_scheme"]?.unlessNull, scheme != "dynamic" {
      throw GRAOError(
        "\(what): the activation_scheme \(scheme.string ?? scheme.kind) is not supported; expected \"dynamic\"")
    }
    self.path = path
    guard let size = quantization["weight_block_size"]?.unlessNull else {
      block = nil
      return
    }
    guard let sizes = size.array?.compactMap(\.integer), sizes.count == 2, sizes.allSatisfy({ $0 > 0 }) else {
      throw GRAOError("\(what): weight_block_size: expected two positive integers")
    }
    block = (sizes[0], sizes[1])
  }

  /// The names that the factors of a weight may have.
  static func scaleNames(of name: String) -> [String] { ["\(name)_scale_inv", "\(name)_scale"] }

  /// The factors of a weight, checked against its shape.
  func scales(of weight: TensorInfo, in scale: TensorInfo) throws(GRAOError) -> Float8Scales {
    let what = "\(path): tensor \"\(scale.name)\""
    guard scale.elementType.plain != nil else { throw GRAOError("\(what): expected F32, F16 or BF16") }
    if scale.elementCount == 1 { return Float8Scales(name: scale.name, block: (Int.max, Int.max)) }
    guard let block else {
      throw GRAOError("\(what) of shape \(scale.shape): expected one factor, for there is no weight_block_size")
    }
    guard weight.shape.count == 2,
      scale.shape == [(weight.shape[0] - 1) / block.rows + 1, (weight.shape[1] - 1) / block.columns + 1]
    else {
      throw GRAOError(
        "\(what) of shape \(scale.shape) does not fit blocks of [\(block.rows), \(block.columns)] in \(weight.shape)")
    }
    return Float8Scales(name: scale.name, block: block)
  }

  func missing(_ weight: String) -> GRAOError {
    GRAOError("\(path): tensor \"\(weight)\" is stored in 8 bits, but there is no \"\(weight)_scale_inv\"")
  }
}

/// The tensor that holds a weight's factors, and the block that each counts for.
struct Float8Scales {
  let name: String
  let block: (rows: Int, columns: Int)

  /// Multiplies a weight's elements by its factors.
  /// - Parameters:
  ///   - elements: row-major, of `shape`.
  ///   - factors: row-major, one for each block.
  func apply(_ factors: [Float], to elements: UnsafeMutableBufferPointer<Float>, shape: [Int]) {
    guard factors.count > 1 else {
      for index in elements.indices { elements[index] *= factors[0] }
      return
    }
    let columns = shape[1]
    let blocks = (columns - 1) / block.columns + 1
    for row in 0..<shape[0] {
      for part in 0..<blocks {
        let factor = factors[row / block.rows * blocks + part]
        let start = part * block.columns
        for index in row * columns + start..<row * columns + min(start + block.columns, columns) {
          elements[index] *= factor
        }
      }
    }
  }
}
