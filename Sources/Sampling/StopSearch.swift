import Tokenizers

/// Looks for stop strings in a completion's text as its tokens arrive; they may span tokens.
struct StopSearch {
  private let stops: [[UInt8]]
  private let longest: Int
  private var decoder: StreamingDecoder
  private var settled: [UInt8] = []
  /// The text before the first stop string, once one has come.
  private(set) var found: String?

  /// - Parameter stops: not empty, nor any of them.
  init(_ stops: [String], _ tokenizer: Tokenizer) {
    self.stops = stops.map { Array($0.utf8) }
    longest = self.stops.map(\.count).max() ?? 0
    decoder = StreamingDecoder(tokenizer)
  }

  mutating func append(_ token: Int32) {
    // What the decoder still holds back counts as well: should a stop string end there, no more tokens come.
    // Only what the new bytes can complete is searched; the stop string that begins first wins.
    let first = max(0, settled.count - longest + 1)
    settled += decoder.feed(token).utf8
    let tail = settled[first...] + decoder.held.utf8
    let start = tail.indices.first { start in stops.contains { tail[start...].starts(with: $0) } }
    if let start { found = String(decoding: settled[..<first] + tail[..<start], as: UTF8.self) }
  }
}
