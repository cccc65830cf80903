import Values

/// The way back: turns tokens into text, one token after the other.
protocol Decoder: Sendable {
  /// What a token becomes inside a text, given as UTF-8: perhaps a part of a character.
  func bytes(of token: [UInt8]) -> [UInt8]

  /// Whether all that comes out counts as one token for a decoder behind this one.
  var joinsTokens: Bool { get }

  /// Whether `bytes(of:)` is all that there is: no token depends on its neighbours or its place.
  var isContextFree: Bool { get }

  /// A pass over the tokens of one text.
  func begin() -> any DecoderPass
}

extension Decoder {
  var joinsTokens: Bool { false }
  var isContextFree: Bool { true }
  func begin() -> any DecoderPass { ContextFreePass(decoder: self) }
}

/// The state of a decoder within one text: what it holds back until later tokens settle it.
protocol DecoderPass: Sendable {
  /// The tokens that `token` settles.
  mutating func feed(_ token: [UInt8]) -> [[UInt8]]
  /// What is left at the end of the text.
  mutating func finish() -> [[UInt8]]
}

private struct ContextFreePass: DecoderPass {
  let decoder: any Decoder

  mutating func feed(_ token: [UInt8]) -> [[UInt8]] { [decoder.bytes(of: token)] }
  mutating func finish() -> [[UInt8]] { [] }
}

enum Decoders {
  static let registry = StageRegistry<any Decoder>(makers: [
    "BPEDecoder": { description throws(GRAOError) in try SuffixDecoder(description) },
    "ByteFallback": { _ in ByteFallbackDecoder() },
    "ByteLevel": { _ in ByteLevelDecoder() },
    "Fuse": { _ in FuseDecoder() },
    "Metaspace": { description throws(GRAOError) in MetaspaceDecoder(try Metaspace(description)) },
    "Replace": { description throws(GRAOError) in ReplaceDecoder(try Replacement(description)) },
    "Sequence": { description throws(GRAOError) in try DecoderSequence(description) },
    "Strip": { description throws(GRAOError) in try StripDecoder(description) },
    "WordPiece": { description throws(GRAOError) in try WordPieceDecoder(description) },
  ])
}

/// "ByteLevel": reads `ByteAlphabet`; a token with a character outside of it stands for itself.
struct ByteLevelDecoder: Decoder {
  var joinsTokens: Bool { true }

  func bytes(of token: [UInt8]) -> [UInt8] { ByteAlphabet.bytes(of: token) ?? token }
}

/// "Fuse": the tokens so far are one token for the decoders that follow.
struct FuseDecoder: Decoder {
  var joinsTokens: Bool { true }

  func bytes(of token: [UInt8]) -> [UInt8] { token }
}

/// "Replace": in every token.
struct ReplaceDecoder: Decoder {
  private let replacement: Replacement

  init(_ replacement: Replacement) { self.replacement = replacement }

  // A pattern that fails on a token leaves it as it is.
  func bytes(of token: [UInt8]) -> [UInt8] { (try? replacement.apply(to: token)) ?? token }
}
