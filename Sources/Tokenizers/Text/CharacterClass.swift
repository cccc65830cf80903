/// What a character is to the patterns of pre-tokenizers: each is of exactly one class, so that a negated class of a
/// pattern ([^\s\p{L}\p{N}]) is the set of the others. The end of a text is of none.
struct CharacterClass: OptionSet {
  let rawValue: UInt16

  /// [\p{Lu}\p{Lt}]
  static let upper = CharacterClass(rawValue: 1)
  /// \p{Ll}
  static let lower = CharacterClass(rawValue: 2)
  /// [\p{Lm}\p{Lo}]
  static let caseless = CharacterClass(rawValue: 4)
  /// \p{M}
  static let mark = CharacterClass(rawValue: 8)
  /// \p{N}
  static let number = CharacterClass(rawValue: 16)
  /// \p{P}
  static let punctuation = CharacterClass(rawValue: 32)
  /// \p{S}
  static let symbol = CharacterClass(rawValue: 64)
  /// [\r\n]
  static let newline = CharacterClass(rawValue: 128)
  /// What else \s matches.
  static let blank = CharacterClass(rawValue: 256)
  static let other = CharacterClass(rawValue: 512)

  /// \p{L}
  static let letter: CharacterClass = [.upper, .lower, .caseless]
  /// \s
  static let space: CharacterClass = [.newline, .blank]
  static let all = CharacterClass(rawValue: 1023)

  /// Whether a character's class is one of these.
  @inline(__always)
  func has(_ kind: CharacterClass) -> Bool { !isDisjoint(with: kind) }
}

/// The class of every scalar, from the tables that Oniguruma is given.
enum CharacterClasses {
  /// Blocks of 256 scalars, each distinct one once.
  private static let tables: (blocks: [CharacterClass], blockOfHighBits: [UInt16]) = {
    var classes = [CharacterClass](repeating: .other, count: 0x11_0000)
    func fill(_ name: String, _ kind: CharacterClass) {
      for range in UnicodeTables.ranges[name] ?? [] {
        for value in range { classes[Int(value)] = kind }
      }
    }
    for name in ["Lu", "Lt"] { fill(name, .upper) }
    fill("Ll", .lower)
    for name in ["Lm", "Lo"] { fill(name, .caseless) }
    fill("M", .mark)
    fill("N", .number)
    fill("P", .punctuation)
    fill("S", .symbol)
    // All white space is in the first planes.
    for value in 0..<0x4000 where UTF8Text.isWhitespace(UInt32(value)) { classes[value] = .blank }
    classes[0x0A] = .newline
    classes[0x0D] = .newline

    var blocks: [CharacterClass] = []
    var blockOfHighBits: [UInt16] = []
    var known: [[UInt16]: UInt16] = [:]
    for start in stride(from: 0, to: classes.count, by: 256) {
      let block = classes[start..<start + 256]
      let key = block.map(\.rawValue)
      if known[key] == nil {
        known[key] = UInt16(truncatingIfNeeded: blocks.count / 256)
        blocks += block
      }
      blockOfHighBits.append(known[key] ?? 0)
    }
    return (blocks, blockOfHighBits)
  }()

  /// Calls `body` with `text` as classified characters.
  static func classified<Result>(
    _ text: UnsafeBufferPointer<UInt8>, _ body: (ClassifiedText) -> Result
  ) -> Result {
    tables.blocks.withUnsafeBufferPointer { blocks in
      tables.blockOfHighBits.withUnsafeBufferPointer { blockOfHighBits in
        body(ClassifiedText(bytes: text, blocks: blocks, blockOfHighBits: blockOfHighBits))
      }
    }
  }
}

/// Well-formed UTF-8 with the classes of its characters.
struct ClassifiedText {
  let bytes: UnsafeBufferPointer<UInt8>
  fileprivate let blocks: UnsafeBufferPointer<CharacterClass>
  fileprivate let blockOfHighBits: UnsafeBufferPointer<UInt16>

  /// The class of the character at `position` and where it ends; no class at the end of the text.
  @inline(__always)
  func character(at position: Int) -> (kind: CharacterClass, end: Int) {
    guard position < bytes.count else { return ([], position) }
    let byte = bytes[position]
    // The first block is that of ASCII, in which scalars are bytes.
    if byte < 0x80 { return (blocks[Int(byte)], position + 1) }
    let scalar = UTF8Text.scalar(in: bytes, at: position)
    let block = Int(blockOfHighBits[Int(scalar.value >> 8)])
    return (blocks[block << 8 | Int(scalar.value & 0xFF)], position + scalar.length)
  }

  /// Where the run of characters of some classes ends that starts at `position`; there, where none does.
  @inline(__always)
  func endOfRun(_ classes: CharacterClass, from position: Int) -> Int {
    var position = position
    while true {
      let next = character(at: position)
      guard classes.has(next.kind) else { return position }
      position = next.end
    }
  }

  /// The byte at `position`, or 0 at the end of the text.
  @inline(__always)
  func byte(at position: Int) -> UInt8 { position < bytes.count ? bytes[position] : 0 }
}
