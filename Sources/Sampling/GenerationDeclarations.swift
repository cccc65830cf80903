import Values

// The options of sampling as scripts give them, declared once for generation, training and evaluation.

extension GenerationOptions {
  /// max_new_tokens, temperature, top_k, top_p, min_p, stop.
  public static func declarations(temperature: Double) -> [OptionDeclaration] {
    [
      OptionDeclaration("max_new_tokens", .integer, default: 2048, "tokens of a completion at most", minimum: 1),
      OptionDeclaration("temperature", .number, default: .number(temperature), "of sampling; 0 is greedy", minimum: 0),
      OptionDeclaration(
        "top_k", .integer, default: 0, "keep the k most probable tokens; 0: all", minimum: 0, maximum: 0x1p30),
      OptionDeclaration(
        "top_p", .number, default: 1, "keep the most probable tokens up to this sum", minimum: 0, maximum: 1),
      OptionDeclaration(
        "min_p", .number, default: 0, "keep tokens this probable relative to the first", minimum: 0, maximum: 1),
      OptionDeclaration("stop", .oneOf([.string, .array(of: .string)]), "texts that end a completion"),
    ]
  }

  /// The options of a reader whose schema has ``declarations(temperature:)``.
  public init(reading reader: OptionReader) throws(GRAOError) {
    self.init()
    maxNewTokens = try reader.integer("max_new_tokens")
    temperature = Float(try reader.number("temperature"))
    topK = try reader.integer("top_k")
    topP = Float(try reader.number("top_p"))
    minP = Float(try reader.number("min_p"))
    if let text = reader.optional("stop")?.string {
      stop = [text]
    } else if reader.has("stop") {
      stop = try reader.strings("stop")
    }
    if stop.contains("") { throw reader.failure("stop", "must not hold an empty string") }
  }
}
