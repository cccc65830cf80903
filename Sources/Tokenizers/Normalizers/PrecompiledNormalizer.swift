import Foundation
import Values

/// "Precompiled": SentencePiece's table of replacements, a double-array trie (Aoe 1989, as the darts-clone library lays it
/// out) whose values are offsets into a block of zero-terminated texts.
struct PrecompiledNormalizer: Normalizer {
  private let units: [UInt32]
  private let texts: [UInt8]

  init(_ description: StageDescription) throws(GRAOError) {
    let path = "\(description.path).precompiled_charsmap"
    let encoded = try description.string("precompiled_charsmap")
    guard let data = Data(base64Encoded: encoded).map(Array.init), data.count >= 4 else {
      throw GRAOError("\(path): expected a table in base64")
    }
    func word(_ offset: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(data[offset + $1]) << (8 * UInt32($1)) }
    }
    let size = Int(word(0))
    guard size > 0, size % 4 == 0, size <= data.count - 4 else {
      throw GRAOError("\(path): the trie's size, \(size) bytes, does not fit the table of \(data.count) bytes")
    }
    units = stride(from: 4, to: 4 + size, by: 4).map(word)
    texts = Array(data[(4 + size)...])
    guard String(validating: texts, as: UTF8.self) != nil else { throw GRAOError("\(path): the texts are no UTF-8") }
  }

  func normalize(_ text: inout [UInt8], first: inout Int) {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    text.withUnsafeBufferPointer { text in
      var changes = Changes(tracker: FirstCharacter(text, count: first))
      // As in HF's normalizer: short clusters as a whole, all else by scalars.
      for character in String(decoding: text, as: UTF8.self) {
        let utf8 = Array(character.utf8)
        if utf8.count < 6, let replacement = replacement(of: utf8[...]) {
          out += replacement
          changes.put(replacement, for: utf8[...])
          continue
        }
        var start = 0
        for scalar in character.unicodeScalars {
          let part = utf8[start..<start + UTF8.width(scalar)]
          let replacement = replacement(of: part) ?? part
          out += replacement
          changes.put(replacement, for: part)
          start = part.endIndex
        }
      }
      first = changes.finish()
    }
    text = out
  }

  /// What HF's normalizer says of the characters that it puts down: where a replacement is the longer one, its last
  /// characters are new; where it is the shorter one, the last character so far takes the place of the rest as well.
  private struct Changes {
    var tracker: FirstCharacter
    private var last: (value: UInt32, change: Int)?

    init(tracker: FirstCharacter) { self.tracker = tracker }

    mutating func put(_ replacement: ArraySlice<UInt8>, for part: ArraySlice<UInt8>) {
      guard !tracker.isOver else { return }
      let scalars = String(decoding: replacement, as: UTF8.self).unicodeScalars
      let added = scalars.count - String(decoding: part, as: UTF8.self).unicodeScalars.count
      for (index, scalar) in scalars.enumerated() {
        if let last { tracker.put(last.value, change: last.change) }
        last = (scalar.value, index >= scalars.count - added ? 1 : 0)
      }
      last?.change += min(0, added)
    }

    /// The bytes that stand for the first character.
    mutating func finish() -> Int {
      if let last { tracker.put(last.value, change: last.change) }
      return tracker.written
    }
  }

  /// What the shortest entry that `part` starts with is replaced by.
  private func replacement(of part: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    func offset(_ unit: UInt32) -> Int { Int((unit >> 10) << ((unit & 1 << 9) >> 6)) }
    var node = offset(units[0])
    for byte in part where byte != 0 {
      node ^= Int(byte)
      guard node < units.count, units[node] & (1 << 31 | 0xFF) == UInt32(byte) else { return nil }
      let unit = units[node]
      node ^= offset(unit)
      guard unit >> 8 & 1 == 1 else { continue }
      guard node < units.count else { return nil }
      let start = Int(units[node] & (1 << 31 - 1))
      // A text that began inside a character would be no UTF-8.
      guard start < texts.count, texts[start] & 0xC0 != 0x80 else { return nil }
      return texts[start..<(texts[start...].firstIndex(of: 0) ?? texts.endIndex)]
    }
    return nil
  }
}
