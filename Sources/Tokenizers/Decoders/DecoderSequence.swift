import Values

/// "Sequence": several decoders, each reading what the one before made of the tokens.
struct DecoderSequence: Decoder {
  private let decoders: [any Decoder]

  init(_ description: StageDescription) throws(GRAOError) {
    var decoders: [any Decoder] = []
    var areJoined = false
    for stage in try description.stages("decoders") {
      let decoder = try Decoders.registry.make(stage)
      decoders.append(areJoined ? Self.behindJoin(decoder) : decoder)
      areJoined = areJoined || decoder.joinsTokens
    }
    self.decoders = decoders
  }

  private static func behindJoin(_ decoder: any Decoder) -> any Decoder {
    if let strip = decoder as? StripDecoder { return JoinedStripDecoder(strip) }
    return decoder is FuseDecoder ? decoder : JoinedDecoder(decoder)
  }

  var joinsTokens: Bool { decoders.contains { $0.joinsTokens } }
  var isContextFree: Bool { decoders.allSatisfy { $0.isContextFree } }

  func bytes(of token: [UInt8]) -> [UInt8] { decoders.reduce(token) { $1.bytes(of: $0) } }

  func begin() -> any DecoderPass { Pass(passes: decoders.map { $0.begin() }) }

  private struct Pass: DecoderPass {
    var passes: [any DecoderPass]

    mutating func feed(_ token: [UInt8]) -> [[UInt8]] { feed([token], from: 0) }

    private mutating func feed(_ tokens: [[UInt8]], from first: Int) -> [[UInt8]] {
      var tokens = tokens
      for index in passes.indices.dropFirst(first) {
        var next: [[UInt8]] = []
        for token in tokens { next += passes[index].feed(token) }
        tokens = next
      }
      return tokens
    }

    mutating func finish() -> [[UInt8]] {
      var out: [[UInt8]] = []
      for index in passes.indices {
        let rest = passes[index].finish()
        out += feed(rest, from: index + 1)
      }
      return out
    }
  }
}

/// A decoder that must see the text as the one token that it is: nothing comes out before the end.
private struct JoinedDecoder: Decoder {
  private let decoder: any Decoder

  init(_ decoder: any Decoder) { self.decoder = decoder }

  var joinsTokens: Bool { true }
  var isContextFree: Bool { false }
  func bytes(of token: [UInt8]) -> [UInt8] { decoder.bytes(of: token) }
  func begin() -> any DecoderPass { Pass(pass: decoder.begin()) }

  private struct Pass: DecoderPass {
    var pass: any DecoderPass
    var text: [UInt8] = []

    mutating func feed(_ token: [UInt8]) -> [[UInt8]] {
      text += token
      return []
    }

    mutating func finish() -> [[UInt8]] {
      // What a byte-level decoder left may be no UTF-8.
      pass.feed(Array(String(decoding: text, as: UTF8.self).utf8)) + pass.finish()
    }
  }
}
