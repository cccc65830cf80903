/// The formats of 8 bits in which weights are stored, by safetensors' names (OCP 8-bit floating point, revision 1.0).
enum Float8: String {
  /// 4 bits of exponent, 3 of mantissa; no infinities, and one NaN of either sign.
  case e4m3 = "F8_E4M3"
  /// 5 bits of exponent, 2 of mantissa: the upper half of a float16.
  case e5m2 = "F8_E5M2"

  /// What each of the 256 bytes means, exactly.
  private var values: [Float] {
    (0...UInt8.max).map { byte in
      switch self {
      case .e5m2: return widen(half: UInt16(byte) << 8)
      case .e4m3:
        let magnitude = byte & 0x7F
        // A float16's exponent has one bit more, and its bias is larger by 8.
        let value = magnitude == 0x7F ? Float.nan : widen(half: UInt16(magnitude) << 7) * 256
        return byte & 0x80 == 0 ? value : -value
      }
    }
  }

  /// Widens `destination.count` bytes.
  func decode(_ source: UnsafeRawPointer, into destination: UnsafeMutableBufferPointer<Float>) {
    let bytes = source.assumingMemoryBound(to: UInt8.self)
    values.withUnsafeBufferPointer { values in
      for index in 0..<destination.count { destination[index] = values[Int(bytes[index])] }
    }
  }
}
