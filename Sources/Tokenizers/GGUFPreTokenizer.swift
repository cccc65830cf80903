import Values

/// What a name in "tokenizer.ggml.pre" stands for: the stages before a byte-level model, as tokenizer.json has them.
struct GGUFPreTokenizer {
  private(set) var normalizer: Value = nil
  let preTokenizer: Value
  private(set) var addsBeginning = false
  private(set) var ignoresMerges = false

  /// The names known; of those that stand for the same stages, the first is the one to write.
  private static let names = [
    "gpt-2", "smollm", "llama-bpe", "qwen2", "deepseek-v3", "deepseek-llm", "deepseek-coder", "gpt-4o", "tekken",
    "dbrx",
    "command-r", "olmo", "mpt", "falcon", "qwen35", "default", "refact", "starcoder", "llama3", "pixtral",
    "deepseek-r1-qwen", "llama4",
  ]

  init(_ name: String, source: String) throws(GRAOError) {
    switch name {
    case "default", "gpt-2": preTokenizer = Self.byteLevel(usesRegex: true)
    case "olmo", "mpt":
      // GPT-NeoX's.
      normalizer = ["type": "NFC"]
      preTokenizer = Self.byteLevel(usesRegex: true)
    case "smollm", "refact", "starcoder", "command-r":
      if name == "command-r" { normalizer = ["type": "NFC"] }
      let digits: Value = ["type": "Digits", "individual_digits": true]
      preTokenizer = ["type": "Sequence", "pretokenizers": [digits, Self.byteLevel(usesRegex: true)]]
    case "llama-bpe", "llama3", "pixtral":
      preTokenizer = Self.llama3(digits: "{1,3}")
      addsBeginning = true
      ignoresMerges = true
    case "dbrx": preTokenizer = Self.llama3(digits: "{1,3}")
    case "qwen2", "deepseek-r1-qwen":
      normalizer = ["type": "NFC"]
      preTokenizer = Self.llama3(digits: "")
    case "qwen35":
      normalizer = ["type": "NFC"]
      preTokenizer = Self.split([GPT4Scanner.pattern(digits: "", marksAreLetters: true)])
    case "falcon":
      let digits: Value = ["type": "Digits", "individual_digits": false]
      let groups: Value = [
        "type": "Split", "pattern": ["Regex": "[0-9][0-9][0-9]"], "behavior": "Isolated", "invert": false,
      ]
      let punctuation: Value = ["type": "Punctuation", "behavior": "Contiguous"]
      preTokenizer = [
        "type": "Sequence",
        "pretokenizers": [punctuation, Self.byteLevel(usesRegex: true), digits, groups],
      ]
    case "deepseek-v3":
      let words =
        ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"##
      preTokenizer = Self.split([
        #"\p{N}{1,3}"#, "[\u{4E00}-\u{9FA5}\u{3040}-\u{309F}\u{30A0}-\u{30FF}]+", words + Self.spaces,
      ])
    case "deepseek-llm":
      preTokenizer = Self.split([
        #"[\r\n]"#, #"\s?["# + DeepSeekLetters.members + "]+",
        #"\s?[!-/:-~"# + "\u{FF01}-\u{FF0F}\u{FF1A}-\u{FF5E}\u{2018}-\u{201F}\u{3000}-\u{3002}]+", #"\s+$"#,
        "[\u{4E00}-\u{9FA5}\u{800}-\u{4E00}\u{AC00}-\u{D7FF}]+", #"\p{N}+"#,
      ])
    case "deepseek-coder":
      preTokenizer = Self.split([
        #"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, "[\u{4E00}-\u{9FA5}\u{800}-\u{4E00}\u{AC00}-\u{D7FF}]+", #"\p{N}"#,
      ])
    case "gpt-4o", "llama4": preTokenizer = Self.split([CasedScanner.pattern(digits: "{1,3}", keepsContractions: true)])
    case "tekken":
      preTokenizer = Self.split([CasedScanner.pattern(digits: "", keepsContractions: false)])
      addsBeginning = true
      ignoresMerges = true
    default:
      throw GRAOError(
        "\(source): tokenizer.ggml.pre '\(name)' is not supported (expected one of "
          + Self.names.sorted().map { "'\($0)'" }.joined(separator: ", ") + ")")
    }
  }

  /// The name of a tokenizer.json's stages; nil for stages that have none.
  static func name(normalizer: Value?, preTokenizer: Value?, ignoresMerges: Bool) throws(GRAOError) -> String? {
    for name in names {
      let known = try GGUFPreTokenizer(name, source: "GGUF")
      if plain(normalizer) == plain(known.normalizer), plain(preTokenizer) == plain(known.preTokenizer),
        ignoresMerges == known.ignoresMerges
      {
        return name
      }
    }
    return nil
  }

  /// A stage without what changes no ids: offsets, sequences of one or none, and how a pattern writes newlines.
  private static func plain(_ stage: Value?) -> Value {
    guard var table = stage?.table else { return .null }
    if table["type"] == "Sequence" {
      let key = table["pretokenizers"] == nil ? "normalizers" : "pretokenizers"
      let stages = (table[key]?.array ?? []).map(plain)
      if stages.count < 2 { return stages.first ?? .null }
      table[key] = .array(stages)
    }
    table["trim_offsets"] = nil
    if let pattern = table["pattern"]?["Regex"]?.string {
      table["pattern"] = ["Regex": .string(WordPattern.written(pattern))]
    }
    if table["type"] == "ByteLevel", table["use_regex"] == nil { table["use_regex"] = true }
    return .table(table)
  }

  private static func byteLevel(usesRegex: Bool) -> Value {
    ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": .boolean(usesRegex)]
  }

  /// Cut by one pattern after the other, then spelled.
  private static func split(_ patterns: [String]) -> Value {
    let splits: [Value] = patterns.map {
      ["type": "Split", "pattern": ["Regex": .string($0)], "behavior": "Isolated", "invert": false]
    }
    return ["type": "Sequence", "pretokenizers": .array(splits + [byteLevel(usesRegex: false)])]
  }

  private static func llama3(digits: String) -> Value {
    split([GPT4Scanner.pattern(digits: digits)])
  }

  /// White space as the published patterns cut it.
  private static let spaces = #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
}
