/// The formats in which matrices are written to GGUF files. Vectors, norms and routers are float32 in all of them.
public enum GGUFElementType: String, Sendable, CaseIterable {
  case f32
  case f16
  case bf16
  /// Blocks of 32 bytes with a scale; rows that are not whole blocks are written as f16, as llama.cpp does.
  case q80 = "q8_0"

  /// general.file_type.
  var fileType: UInt32 {
    switch self {
    case .f32: 0
    case .f16: 1
    case .q80: 7
    case .bf16: 32
    }
  }

  /// ggml's number of the type.
  var number: UInt32 {
    switch self {
    case .f32: 0
    case .f16: 1
    case .q80: 8
    case .bf16: 30
    }
  }

  var blockElements: Int { self == .q80 ? 32 : 1 }

  /// Bytes of `count` elements, which are whole blocks; nil where an Int cannot hold them.
  func bytes(_ count: Int) -> Int? {
    switch self {
    case .f32: product(of: [count, 4])
    case .f16, .bf16: product(of: [count, 2])
    case .q80: product(of: [count / 32, 34])
    }
  }

  /// Converts whole blocks; `destination` has room for them.
  func encode(_ source: UnsafeBufferPointer<Float>, into destination: UnsafeMutableRawPointer) {
    switch self {
    case .f32: Checkpoints.encode(source, as: .float32, into: destination)
    case .f16: Checkpoints.encode(source, as: .float16, into: destination)
    case .bf16: Checkpoints.encode(source, as: .bfloat16, into: destination)
    case .q80:
      guard let values = source.baseAddress else { return }
      for block in 0..<source.count / 32 { encodeQ80(values + 32 &* block, destination + 34 &* block) }
    }
  }
}

/// d = max |x| / 127 as float16, and x / d rounded to the nearest, halves away from zero.
private func encodeQ80(_ values: UnsafePointer<Float>, _ block: UnsafeMutableRawPointer) {
  var largest: Float = 0
  for i in 0..<32 { largest = max(largest, abs(values[i])) }
  let d = largest / 127
  let inverse = d == 0 ? 0 : 1 / d
  block.storeBytes(of: narrowToHalf(d), as: UInt16.self)
  for i in 0..<32 {
    let rounded = (values[i] * inverse).rounded(.toNearestOrAwayFromZero)
    // Where d is too small for float16 the quotients may be infinite; they count nothing.
    block.storeBytes(of: Int8(exactly: rounded) ?? 0, toByteOffset: 2 &+ i, as: Int8.self)
  }
}
