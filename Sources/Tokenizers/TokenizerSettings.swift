import Values

/// What tokenizer_config.json and special_tokens_map.json say beside the pipeline.
struct TokenizerSettings {
  /// The special tokens with a name of their own (eos_token, bos_token, …) that are given, in transformers' order.
  private(set) var named: [(name: String, token: AddedToken)] = []
  /// Further tokens to know as added ones.
  private(set) var further: [AddedToken] = []
  /// Whether the beginning and end tokens go around every text, where the file decides that.
  private(set) var around: (beginning: Bool, end: Bool)?
  /// Jinja sources by name; the only one is named "default".
  private(set) var chatTemplates: [String: String] = [:]

  private static let names = [
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
  ]

  /// - Parameters:
  ///   - config: the content of tokenizer_config.json.
  ///   - specials: the content of special_tokens_map.json: names what `config` does not.
  init(config: Table?, specials: Table?, source: String) throws(GRAOError) {
    let files = [(config, "\(source): tokenizer_config"), (specials, "\(source): special_tokens_map")]
    for name in Self.names {
      for case (let table?, let path) in files {
        guard let value = table[name], !value.isNull else { continue }
        named.append((name, try Self.token(value, isSpecial: true, path: "\(path).\(name)")))
        break
      }
    }
    guard let config else { return }
    let path = "\(source): tokenizer_config"
    if let decoder = config["added_tokens_decoder"]?.table {
      let keys = decoder.keys.compactMap { key in Int(key).map { (id: $0, key: key) } }.sorted { $0.id < $1.id }
      for (_, key) in keys {
        let tokenPath = "\(path).added_tokens_decoder.\(key)"
        further.append(try AddedToken(StageDescription(decoder[key] ?? .null, path: tokenPath)))
      }
    }
    for key in ["extra_special_tokens", "additional_special_tokens"] {
      for (index, value) in (config[key]?.array ?? []).enumerated() {
        further.append(try Self.token(value, isSpecial: true, path: "\(path).\(key)[\(index)]"))
      }
    }
    if config["add_bos_token"]?.boolean != nil || config["add_eos_token"]?.boolean != nil {
      around = (config["add_bos_token"]?.boolean ?? false, config["add_eos_token"]?.boolean ?? false)
    }
    chatTemplates = Self.chatTemplates(config["chat_template"])
  }

  func token(_ name: String) -> AddedToken? { named.first { $0.name == name }?.token }

  /// A token given by its content alone, or with its flags.
  private static func token(_ value: Value, isSpecial: Bool, path: String) throws(GRAOError) -> AddedToken {
    if let content = value.string { return AddedToken(content: content, isSpecial: isSpecial) }
    var token = try AddedToken(StageDescription(value, path: path))
    token.isSpecial = isSpecial
    return token
  }

  private static func chatTemplates(_ value: Value?) -> [String: String] {
    if let template = value?.string { return ["default": template] }
    var templates = (value?.table ?? Table()).reduce(into: [String: String]()) { $0[$1.key] = $1.value.string }
    for entry in value?.array ?? [] {
      if let name = entry["name"]?.string, let template = entry["template"]?.string { templates[name] = template }
    }
    return templates
  }
}
