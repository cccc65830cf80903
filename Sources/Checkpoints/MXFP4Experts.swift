import Values

/// Stacked experts in MXFP4 (OCP microscaling formats, revision 1.0), as gpt-oss's checkpoints have them: `name`_blocks
/// [E, R, G, 16], two numbers of four bits in a byte, and `name`_scales [E, R, G], a power of two for each 32 numbers.
/// They are the tensor `name` [E, 32 · G, R].
struct MXFP4Experts {
  let blocks, scales: String
  /// Of the tensor that they make.
  let shape: [Int]

  /// Those of a checkpoint by the tensor's name; none where config.json's `quantization_config` names another method.
  static func find(
    in tensors: [String: SafetensorsFile.Entry], _ config: Table, _ path: String
  ) throws(GRAOError) -> [String: MXFP4Experts] {
    guard config["quantization_config"]?["quant_method"]?.string == "mxfp4" else { return [:] }
    var found: [String: MXFP4Experts] = [:]
    for (blocks, entry) in tensors where blocks.hasSuffix("_blocks") {
      let name = String(blocks.dropLast("_blocks".count))
      let what = "\(path): tensor \"\(blocks)\""
      let (scales, shape) = ("\(name)_scales", entry.info.shape)
      guard let factors = tensors[scales] else { throw GRAOError("\(what) has no \"\(scales)\" beside it") }
      guard shape.count == 4, shape[3] == 16, !shape.contains(0), factors.info.shape == Array(shape[..<3]) else {
        throw GRAOError(
          "\(what) of shape \(shape) and \"\(scales)\" of \(factors.info.shape): expected [E, R, G, 16] and [E, R, G]")
      }
      guard entry.dtype == "U8", factors.dtype == "U8" else {
        throw GRAOError("\(what) and \"\(scales)\" are \(entry.dtype) and \(factors.dtype): expected U8")
      }
      found[name] = MXFP4Experts(blocks: blocks, scales: scales, shape: [shape[0], 32 * shape[2], shape[1]])
    }
    return found
  }

  /// What the sixteen codes mean.
  private static let values: [Float] = {
    let magnitudes: [Float] = [0, 0.5, 1, 1.5, 2, 3, 4, 6]
    return magnitudes + magnitudes.map { -$0 }
  }()

  /// Decodes all of it, row-major; exact but for scales of 2¹²⁸, which overflow as transformers' do.
  func decode(
    _ blocks: UnsafeRawBufferPointer, scales: UnsafeRawBufferPointer,
    into destination: UnsafeMutableBufferPointer<Float>
  ) {
    let (rows, groups) = (shape[2], shape[1] / 32)
    Self.values.withUnsafeBufferPointer { values in
      for expert in 0..<shape[0] {
        for group in 0..<groups {
          for row in 0..<rows {
            let block = (expert * rows + row) * groups + group
            let exponent = UInt32(scales[block])
            let scale = Float(bitPattern: exponent == 0 ? 0x40_0000 : exponent << 23)
            for byte in 0..<16 {
              let code = Int(blocks[16 * block + byte])
              let place = ((expert * groups + group) * 32 + 2 * byte) * rows + row
              destination[place] = scale * values[code & 15]
              destination[place + rows] = scale * values[code >> 4]
            }
          }
        }
      }
    }
  }
}
