import COnig
import Values

/// A compiled regular expression in Oniguruma's own syntax, which tokenizer.json is written for, over UTF-8.
final class Regex: @unchecked Sendable {
  // Oniguruma only reads a compiled pattern while it matches, so any number of threads may share it.
  private let regex: OnigRegex

  /// - Parameter path: where the pattern stands, for messages: "tokenizer.json: pre_tokenizer".
  init(_ pattern: String, path: String) throws(GRAOError) {
    guard UnicodeTables.areInstalled else { throw GRAOError("\(path): the regular expression library does not start") }
    var message = [CChar](repeating: 0, count: Int(grao_onig_message_length) + 1)
    let bytes = Array(pattern.utf8)
    guard let regex = grao_onig_new(bytes, bytes.count, &message) else {
      throw GRAOError("\(path): the pattern \(pattern) is not valid: \(Self.text(message))")
    }
    self.regex = regex
  }

  deinit { onig_free(regex) }

  /// Every match in order, without overlap; an empty one is left out where it stands at the end of the one before.
  /// The pattern sees `text` as the whole there is. Throws where the match runs over Oniguruma's bounds.
  func matches(in text: UnsafeBufferPointer<UInt8>) throws(GRAOError) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    guard let base = text.baseAddress, let region = onig_region_new() else { return ranges }
    defer { onig_region_free(region, 1) }
    var message = [CChar](repeating: 0, count: Int(grao_onig_message_length) + 1)
    var from = 0
    var start = 0
    var end = 0
    while from <= text.count {
      let found = grao_onig_search(regex, base, text.count, from, region, &start, &end, &message)
      if found == 0 { break }
      guard found > 0 else { throw GRAOError("tokenizer: the pre-tokenizer's pattern failed: \(Self.text(message))") }
      if start == end, end == ranges.last?.upperBound {
        from += from < text.count ? UTF8Text.scalar(in: text, at: from).length : 1
      } else {
        ranges.append(start..<end)
        from = end
      }
    }
    return ranges
  }

  private static func text(_ message: [CChar]) -> String {
    String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
