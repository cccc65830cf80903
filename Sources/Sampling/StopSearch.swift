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
    let new = settled.count
    settled += decoder.feed(token).utf8
    let text = settled + decoder.held.utf8
    // Only what the new bytes can complete; the stop string that begins first wins.
    for start in max(0, new - longest + 1)..<max(text.count, 1) where found == nil {
      if stops.contains(where: { text[start...].starts(with: $0) }) {
        found = String(decoding: text[..<start], as: UTF8.self)
      }
    }
  }
}
