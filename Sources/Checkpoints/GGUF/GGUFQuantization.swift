// The block formats of GGUF files: 32 elements share a scale d, and a minimum m where the format has one. Products and
// sums are separate float32 operations, so that the bits are ggml's.

/// How the elements of a GGUF tensor are stored.
struct GGUFType {
  /// ggml's name for it.
  let name: String
  /// Elements in a block, which is the smallest unit, and its bytes.
  let blockElements: Int
  let blockBytes: Int
  let elementType: ElementType
  /// Decodes whole blocks from any address into as many elements; nil for what the engine does not read.
  let decode: (@Sendable (UnsafeRawPointer, UnsafeMutableBufferPointer<Float>) -> Void)?

  /// By the number that stands in the file.
  static func numbered(_ number: UInt32) -> GGUFType? { all[number] }

  private static func plain(_ name: String, _ type: ElementType, _ format: PlainFormat) -> GGUFType {
    GGUFType(name: name, blockElements: 1, blockBytes: format.size, elementType: type) { source, out in
      Checkpoints.decode(source, as: format, into: out)
    }
  }

  private static func blocks(
    _ name: String, _ elements: Int, _ bytes: Int,
    decode: (@Sendable (UnsafeRawPointer, UnsafeMutablePointer<Float>) -> Void)? = nil
  ) -> GGUFType {
    guard let decode else {
      return GGUFType(
        name: name, blockElements: elements, blockBytes: bytes, elementType: .quantized, decode: nil)
    }
    return GGUFType(name: name, blockElements: elements, blockBytes: bytes, elementType: .quantized) { source, out in
      guard let start = out.baseAddress else { return }
      for block in 0..<out.count / elements { decode(source + block &* bytes, start + block &* elements) }
    }
  }

  private static func unread(_ name: String, _ bytes: Int) -> GGUFType {
    GGUFType(name: name, blockElements: 1, blockBytes: bytes, elementType: .other, decode: nil)
  }

  private static let all: [UInt32: GGUFType] = [
    0: plain("F32", .float32, .float32),
    1: plain("F16", .float16, .float16),
    30: plain("BF16", .bfloat16, .bfloat16),
    2: blocks("Q4_0", 32, 18, decode: decodeQ40),
    3: blocks("Q4_1", 32, 20, decode: decodeQ41),
    6: blocks("Q5_0", 32, 22, decode: decodeQ50),
    7: blocks("Q5_1", 32, 24, decode: decodeQ51),
    8: blocks("Q8_0", 32, 34, decode: decodeQ80),
    9: blocks("Q8_1", 32, 40),
    10: blocks("Q2_K", 256, 84, decode: decodeQ2K),
    11: blocks("Q3_K", 256, 110, decode: decodeQ3K),
    12: blocks("Q4_K", 256, 144, decode: decodeQ4K),
    13: blocks("Q5_K", 256, 176, decode: decodeQ5K),
    14: blocks("Q6_K", 256, 210, decode: decodeQ6K),
    15: blocks("Q8_K", 256, 292),
    16: blocks("IQ2_XXS", 256, 66),
    17: blocks("IQ2_XS", 256, 74),
    18: blocks("IQ3_XXS", 256, 98),
    19: blocks("IQ1_S", 256, 50),
    20: blocks("IQ4_NL", 32, 18),
    21: blocks("IQ3_S", 256, 110),
    22: blocks("IQ2_S", 256, 82),
    23: blocks("IQ4_XS", 256, 136),
    29: blocks("IQ1_M", 256, 56),
    34: blocks("TQ1_0", 256, 54),
    35: blocks("TQ2_0", 256, 66),
    39: blocks("MXFP4", 32, 17, decode: decodeMXFP4),
    24: unread("I8", 1),
    25: unread("I16", 2),
    26: unread("I32", 4),
    27: unread("I64", 8),
    28: unread("F64", 8),
  ]
}

/// A float16 inside a block, where its scales are.
@inline(__always)
func half(_ block: UnsafeRawPointer, at offset: Int) -> Float {
  widen(half: block.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
}

/// Calls `put` with each of 32 elements and its four low bits: byte i holds those of elements i and i + 16.
@inline(__always)
private func nibbles(_ bytes: UnsafeRawPointer, _ put: (Int, UInt8) -> Void) {
  for i in 0..<16 {
    let byte = bytes.load(fromByteOffset: i, as: UInt8.self)
    put(i, byte & 15)
    put(i &+ 16, byte >> 4)
  }
}

/// d (2 bytes), nibbles (16): d · (q − 8).
private func decodeQ40(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
  let d = half(block, at: 0)
  nibbles(block + 2) { i, q in out[i] = d * Float(Int32(q) &- 8) }
}

/// d (2), m (2), nibbles (16): d · q + m.
private func decodeQ41(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
  let d = half(block, at: 0)
  let m = half(block, at: 2)
  nibbles(block + 4) { i, q in out[i] = d * Float(q) + m }
}

/// d (2), fifth bits (4), nibbles (16): d · (q − 16).
private func decodeQ50(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
  let d = half(block, at: 0)
  let high = block.loadUnaligned(fromByteOffset: 2, as: UInt32.self)
  nibbles(block + 6) { i, q in
    let fifth = (high &>> UInt32(truncatingIfNeeded: i)) & 1
    out[i] = d * Float((Int32(q) | Int32(fifth &<< 4)) &- 16)
  }
}

/// d (2), m (2), fifth bits (4), nibbles (16): d · q + m.
private func decodeQ51(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
  let d = half(block, at: 0)
  let m = half(block, at: 2)
  let high = block.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
  nibbles(block + 8) { i, q in
    let fifth = (high &>> UInt32(truncatingIfNeeded: i)) & 1
    out[i] = d * Float(Int32(q) | Int32(fifth &<< 4)) + m
  }
}

/// d (2), signed bytes (32): d · q.
private func decodeQ80(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
  let d = half(block, at: 0)
  for i in 0..<32 { out[i] = d * Float(block.load(fromByteOffset: 2 &+ i, as: Int8.self)) }
}

/// Exponent (1 byte) and the numbers of 4 bits (16; E2M1 of the OCP microscaling formats, 1.0): 2^(e − 127) · q.
private func decodeMXFP4(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
  let exponent = UInt32(block.load(as: UInt8.self))
  // Half the scale, for the numbers below are doubled, so that they are whole.
  let d = Float(bitPattern: exponent < 2 ? 0x20_0000 << exponent : (exponent &- 1) << 23)
  nibbles(block + 1) { i, q in
    let doubled = Int32(truncatingIfNeeded: (0x0C08_0604_0302_0100 as UInt64) >> (8 &* UInt64(q & 7)) & 0xFF)
    out[i] = d * Float(q < 8 ? doubled : 0 &- doubled)
  }
}
