// The "K" formats of GGUF files: 256 elements share a scale d, and parts of 16 or 32 have scales of a few bits in units
// of it. Products and sums are separate float32 operations, so that the bits are ggml's.

@inline(__always)
private func byte(_ block: UnsafeRawPointer, _ offset: Int) -> Int {
  Int(block.load(fromByteOffset: offset, as: UInt8.self))
}

/// Scales and minima of 16 parts (16 bytes), two-bit numbers (64), d (2), dmin (2): d · scale · q − dmin · min.
func decodeQ2K(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
  let (d, dmin) = (half(block, at: 80), half(block, at: 82))
  for part in 0..<16 {
    let scale = byte(block, part)
    let (dl, ml) = (d * Float(scale & 15), dmin * Float(scale >> 4))
    // Parts 2j and 2j + 1 of each half hold bits 2j and 2j + 1 of the same 32 bytes.
    let bytes = 16 &+ part / 8 &* 32 &+ part % 2 &* 16
    let shift = part % 8 / 2 &* 2
    for i in 0..<16 { out[part &* 16 &+ i] = dl * Float(byte(block, bytes &+ i) >> shift & 3) - ml }
  }
}

/// Third bits (32 bytes), two-bit numbers (64), six-bit scales of 16 parts (12), d (2): d · (scale − 32) · (q − 4).
func decodeQ3K(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
  let d = half(block, at: 108)
  for part in 0..<16 {
    let low = part < 8 ? byte(block, 96 &+ part) & 15 : byte(block, 88 &+ part) >> 4
    let high = byte(block, 104 &+ part % 4) >> (part / 4 &* 2) & 3
    let dl = d * Float((low | high << 4) &- 32)
    let bytes = 32 &+ part / 8 &* 32 &+ part % 2 &* 16
    let shift = part % 8 / 2 &* 2
    for i in 0..<16 {
      let third = byte(block, part % 2 &* 16 &+ i) >> (part / 2) & 1
      out[part &* 16 &+ i] = dl * Float((byte(block, bytes &+ i) >> shift & 3) &- (third == 1 ? 0 : 4))
    }
  }
}

/// The six-bit scale and minimum of part j of eight, from 12 bytes.
@inline(__always)
private func scaleAndMinimum(_ bytes: UnsafeRawPointer, _ j: Int) -> (scale: Int, minimum: Int) {
  if j < 4 { return (byte(bytes, j) & 63, byte(bytes, j &+ 4) & 63) }
  return (
    byte(bytes, j &+ 4) & 15 | (byte(bytes, j &- 4) >> 6) << 4, byte(bytes, j &+ 4) >> 4 | (byte(bytes, j) >> 6) << 4
  )
}

/// d (2), dmin (2), scales and minima of 8 parts (12), nibbles (128): d · scale · q − dmin · min.
func decodeQ4K(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
  decodeWithMinima(block, out, nibbles: 16) { _, _ in 0 }
}

/// As Q4_K, with fifth bits (32) before the nibbles.
func decodeQ5K(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
  decodeWithMinima(block, out, nibbles: 48) { part, i in (byte(block, 16 &+ i) >> part & 1) << 4 }
}

@inline(__always)
private func decodeWithMinima(
  _ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>, nibbles: Int, fifth: (_ part: Int, _ i: Int) -> Int
) {
  let (d, dmin) = (half(block, at: 0), half(block, at: 2))
  for part in 0..<8 {
    let (scale, minimum) = scaleAndMinimum(block + 4, part)
    let (dl, ml) = (d * Float(scale), dmin * Float(minimum))
    let bytes = nibbles &+ part / 2 &* 32
    for i in 0..<32 {
      let q = byte(block, bytes &+ i) >> (part % 2 &* 4) & 15
      out[part &* 32 &+ i] = dl * Float(q | fifth(part, i)) - ml
    }
  }
}

/// Low nibbles (128 bytes), high bits (64), signed scales of 16 parts (16), d (2): d · scale · (q − 32).
func decodeQ6K(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
  let d = half(block, at: 208)
  for part in 0..<16 {
    let dl = d * Float(block.load(fromByteOffset: 192 &+ part, as: Int8.self))
    // Four quarters of 32 in each half: two in the low nibbles of 64 bytes, two in the high ones.
    let (half, quarter) = (part / 8, part % 8 / 2)
    let within = part % 2 &* 16
    let (low, high) = (half &* 64 &+ quarter % 2 &* 32 &+ within, 128 &+ half &* 32 &+ within)
    let (lowShift, highShift) = (quarter / 2 &* 4, quarter &* 2)
    for i in 0..<16 {
      let q = byte(block, low &+ i) >> lowShift & 15 | (byte(block, high &+ i) >> highShift & 3) << 4
      out[part &* 16 &+ i] = dl * Float(q &- 32)
    }
  }
}
