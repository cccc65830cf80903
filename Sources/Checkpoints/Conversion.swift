// Between float32 and the 16-bit formats, in integer arithmetic, so that the bits do not depend on the CPU, its
// rounding mode or its treatment of denormal numbers. Widening is exact; narrowing rounds to nearest, ties to even, and
// keeps of a NaN's payload what fits.

/// The formats that are read and written element by element.
enum PlainFormat {
  case float32, float16, bfloat16

  /// Bytes of one element.
  var size: Int { self == .float32 ? 4 : 2 }
}

/// IEEE 754 binary16 to float32.
@inline(__always)
func widen(half bits: UInt16) -> Float {
  let sign = UInt32(bits & 0x8000) << 16
  let magnitude = UInt32(bits & 0x7FFF) << 13
  let exponent = magnitude & 0x0F80_0000
  // Rebias the exponent from 15 to 127; infinity and NaN go on to 255.
  var result = magnitude &+ (112 << 23)
  if exponent == 0x0F80_0000 { result &+= 112 << 23 }
  if exponent == 0 {
    // Zero or denormal: the mantissa counts units of 2^-24.
    result = (Float(Int32(truncatingIfNeeded: magnitude >> 13)) * 0x1p-24).bitPattern
  }
  return Float(bitPattern: sign | result)
}

@inline(__always)
func widen(brain bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

/// float32 to IEEE 754 binary16.
@inline(__always)
func narrowToHalf(_ value: Float) -> UInt16 {
  let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
  let magnitude = value.bitPattern & 0x7FFF_FFFF
  let result: UInt32
  if magnitude > 0x7F80_0000 {
    let payload = (magnitude >> 13) & 0x3FF
    result = 0x7C00 | (payload == 0 ? 0x200 : payload)
  } else if magnitude >= 0x4780_0000 {
    // 65536 and more; 65520 to 65536 round up to infinity below.
    result = 0x7C00
  } else if magnitude >= 0x3880_0000 {
    let rebiased = magnitude &- (112 << 23)
    result = (rebiased &+ 0xFFF &+ ((rebiased >> 13) & 1)) >> 13
  } else {
    // Below 2^-14: count units of 2^-24.
    let shift = 126 &- (magnitude >> 23)
    let mantissa = (magnitude & 0x7F_FFFF) | 0x80_0000
    // From 25 places on everything is less than half a unit; a denormal float32 has the exponent 0.
    if shift > 24 {
      result = 0
    } else {
      let kept = mantissa >> shift
      let rest = mantissa & ((1 << shift) &- 1)
      let half: UInt32 = 1 << (shift &- 1)
      result = kept &+ (rest > half || (rest == half && kept & 1 == 1) ? 1 : 0)
    }
  }
  return sign | UInt16(truncatingIfNeeded: result)
}

@inline(__always)
func narrowToBrain(_ value: Float) -> UInt16 {
  let bits = value.bitPattern
  if bits & 0x7FFF_FFFF > 0x7F80_0000 {
    let kept = UInt16(truncatingIfNeeded: bits >> 16)
    return kept & 0x7F == 0 ? kept | 0x40 : kept
  }
  return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
}

/// Widens `destination.count` stored elements, which may lie at any address, into float32.
func decode(_ source: UnsafeRawPointer, as format: PlainFormat, into destination: UnsafeMutableBufferPointer<Float>) {
  guard let out = destination.baseAddress else { return }
  switch format {
  case .float32: UnsafeMutableRawPointer(out).copyMemory(from: source, byteCount: 4 * destination.count)
  case .float16:
    for i in 0..<destination.count {
      out[i] = widen(half: source.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self))
    }
  case .bfloat16:
    for i in 0..<destination.count {
      out[i] = widen(brain: source.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self))
    }
  }
}

/// Narrows float32 elements into a storage format; `destination` has room for as many.
func encode(_ source: UnsafeBufferPointer<Float>, as format: PlainFormat, into destination: UnsafeMutableRawPointer) {
  guard let values = source.baseAddress else { return }
  switch format {
  case .float32: destination.copyMemory(from: values, byteCount: 4 * source.count)
  case .float16:
    let out = destination.assumingMemoryBound(to: UInt16.self)
    for i in 0..<source.count { out[i] = narrowToHalf(values[i]) }
  case .bfloat16:
    let out = destination.assumingMemoryBound(to: UInt16.self)
    for i in 0..<source.count { out[i] = narrowToBrain(values[i]) }
  }
}
