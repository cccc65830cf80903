import Values

/// A pre-tokenizer's regular expression: one of the published ones by its scanner, any other by Oniguruma.
enum WordPattern: Sendable {
  case gpt2
  case gpt4(GPT4Scanner)
  case cased(CasedScanner)
  case deepSeek
  case run(RunScanner)
  case lineEnds
  case regex(Regex)

  /// A pattern with its newlines escaped: some files hold those of a class themselves.
  static func written(_ pattern: String) -> String {
    var written = ""
    for scalar in pattern.unicodeScalars {
      switch scalar {
      case "\r": written += #"\r"#
      case "\n": written += #"\n"#
      default: written.unicodeScalars.append(scalar)
      }
    }
    return written
  }

  init(_ pattern: String, path: String) throws(GRAOError) {
    let written = Self.written(pattern)
    switch written {
    case GPT2Scanner.pattern: self = .gpt2
    case GPT4Scanner.pattern(digits: "{1,3}"): self = .gpt4(GPT4Scanner(digits: 3))
    case GPT4Scanner.pattern(digits: ""): self = .gpt4(GPT4Scanner(digits: 1))
    case GPT4Scanner.pattern(digits: "", marksAreLetters: true):
      self = .gpt4(GPT4Scanner(digits: 1, marksAreLetters: true))
    case CasedScanner.pattern(digits: "{1,3}", keepsContractions: true):
      self = .cased(CasedScanner(digits: 3, keepsContractions: true))
    case CasedScanner.pattern(digits: "", keepsContractions: false):
      self = .cased(CasedScanner(digits: 1, keepsContractions: false))
    case DeepSeekScanner.pattern: self = .deepSeek
    case LineEndScanner.pattern: self = .lineEnds
    default:
      if let scanner = RunScanner(written) {
        self = .run(scanner)
      } else {
        self = .regex(try Regex(pattern, path: path))
      }
    }
  }

  /// Appends every match in order, without overlap, as ranges within `text`, which is the whole that the pattern sees.
  /// Throws where Oniguruma runs over its bounds.
  func appendMatches(in text: UnsafeBufferPointer<UInt8>, to found: inout [Range<Int>]) throws(GRAOError) {
    switch self {
    case .gpt2: GPT2Scanner().appendMatches(in: text, to: &found)
    case .gpt4(let scanner): scanner.appendMatches(in: text, to: &found)
    case .cased(let scanner): scanner.appendMatches(in: text, to: &found)
    case .deepSeek: DeepSeekScanner().appendMatches(in: text, to: &found)
    case .run(let scanner): scanner.appendMatches(in: text, to: &found)
    case .lineEnds: LineEndScanner().appendMatches(in: text, to: &found)
    case .regex(let regex): found += try regex.matches(in: text)
    }
  }
}
