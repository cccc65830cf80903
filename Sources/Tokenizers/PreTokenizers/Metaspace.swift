import Values

/// "Metaspace": writes spaces as a visible character, puts one before the text, and cuts before each.
struct Metaspace: PreTokenizer {
  /// Where a replacement character is put before a piece that does not start with one.
  enum Scheme: String {
    case always
    /// Only at the start of the whole text: before pieces that stand for its first character.
    case first
    case never
  }

  let replacement: String
  let scheme: Scheme
  private let splits: Bool

  init(_ description: StageDescription) throws(GRAOError) {
    replacement = try description.string("replacement")
    guard replacement.unicodeScalars.count == 1 else {
      throw GRAOError("\(description.path).replacement: expected one character, found '\(replacement)'")
    }
    // Files from before tokenizers 0.15 have no scheme.
    let name = description.value("prepend_scheme") == nil ? "always" : try description.string("prepend_scheme")
    guard let scheme = Scheme(rawValue: name) else {
      throw GRAOError("\(description.path).prepend_scheme: '\(name)' is not supported")
    }
    // Those with false, and "first" or no scheme at all, HF refuses as well.
    let addsPrefix = try description.boolean("add_prefix_space", default: true)
    guard scheme == .never || addsPrefix else {
      throw GRAOError("\(description.path).add_prefix_space: false contradicts prepend_scheme '\(name)'")
    }
    self.scheme = scheme
    splits = try description.boolean("split", default: true)
  }

  func cut(_ pieces: inout Pieces) throws(GRAOError) {
    let mark = Array(replacement.utf8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(pieces.bytes.count + pieces.bytes.count / 2)
    var ranges: [Range<Int>] = []
    var first = 0
    for range in pieces.ranges {
      let start = bytes.count
      let piece = pieces.bytes[range]
      let prepends = scheme == .always || scheme == .first && range.lowerBound < pieces.first
      if prepends, piece.first != UInt8(ascii: " "), !piece.starts(with: mark) { bytes += mark }
      var wordStart = start
      func cutWord() {
        if splits, wordStart < bytes.count {
          ranges.append(wordStart..<bytes.count)
          wordStart = bytes.count
        }
      }
      var position = range.lowerBound
      while position < range.upperBound {
        if pieces.bytes[position] == UInt8(ascii: " ") {
          cutWord()
          bytes += mark
          position += 1
        } else if pieces.bytes[position] == mark[0], pieces.bytes[position..<range.upperBound].starts(with: mark) {
          cutWord()
          bytes += mark
          position += mark.count
        } else {
          bytes.append(pieces.bytes[position])
          position += 1
        }
        if position <= pieces.first { first = bytes.count }
      }
      if wordStart < bytes.count { ranges.append(wordStart..<bytes.count) }
    }
    pieces.bytes = bytes
    pieces.ranges = ranges
    pieces.first = first
  }
}
