/// GPT-2's way to write any byte as one printable character: printable Latin-1 characters stand for themselves, the
/// other 68 bytes for U+0100 onwards in order, so that a space is "Ġ" and a newline "Ċ".
enum ByteAlphabet {
  /// Byte → the scalar that stands for it.
  static let scalars: [UInt32] = {
    var next: UInt32 = 0x100
    return (0..<256).map { (byte: UInt32) in
      if (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte) { return byte }
      defer { next += 1 }
      return next
    }
  }()

  /// Scalar → the byte that it stands for, or -1; as long as the alphabet reaches.
  private static let bytes: [Int16] = {
    var bytes = [Int16](repeating: -1, count: 0x144)
    for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar)] = Int16(byte) }
    return bytes
  }()

  /// The bytes that `token` (UTF-8) spells, or nil where a character is not of the alphabet.
  static func bytes(of token: some Collection<UInt8>) -> [UInt8]? {
    var out: [UInt8] = []
    out.reserveCapacity(token.count)
    var lead: UInt32?
    // The alphabet ends at U+0143: two bytes a character at most.
    for byte in token {
      let scalar: UInt32
      if let first = lead {
        scalar = (first & 0x1F) << 6 | UInt32(byte) & 0x3F
        lead = nil
      } else if byte < 0x80 {
        scalar = UInt32(byte)
      } else if byte < 0xE0 {
        lead = UInt32(byte)
        continue
      } else {
        return nil
      }
      guard scalar < bytes.count, bytes[Int(scalar)] >= 0 else { return nil }
      out.append(UInt8(bytes[Int(scalar)]))
    }
    return out
  }

  /// Appends `text` spelled in the alphabet, as UTF-8.
  static func spell(_ text: UnsafeBufferPointer<UInt8>, to out: inout [UInt8]) {
    for byte in text {
      let scalar = scalars[Int(byte)]
      if scalar < 0x80 {
        out.append(UInt8(scalar))
      } else {
        out.append(UInt8(0xC0 | scalar >> 6))
        out.append(UInt8(0x80 | scalar & 0x3F))
      }
    }
  }
}
