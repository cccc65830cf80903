import Values

/// A GGUF file's metadata and tensors in the terms of Hugging Face transformers.
struct GGUFTranslation {
  private(set) var config = Table()
  private(set) var generationConfig: Table?
  /// By Hugging Face name.
  private(set) var views: [String: GGUFView] = [:]
  private let source: GGUFSource
  private let architecture: GGUFArchitecture
  private var file: GGUFFile { source.file }

  /// Tensors of files that tell the architecture, not its weights.
  private static let descriptions: Set = ["rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"]

  init(_ file: GGUFFile) throws(GRAOError) {
    guard let name = file.metadata["general.architecture"]?.string else {
      throw GRAOError("\(file.path): the metadata key \"general.architecture\" is missing")
    }
    source = GGUFSource(file: file, name: name)
    guard let architecture = try GGUFArchitecture.find(source) else {
      throw GRAOError(
        "\(file.path): the architecture \"\(name)\" is not supported; expected one of "
          + Set(GGUFArchitecture.all.map(\.name)).sorted().joined(separator: ", "))
    }
    self.architecture = architecture
    if let count = file.metadata["split.count"]?.integer, count > 1 {
      throw GRAOError("\(file.path): one of \(count) parts of a model; join them with llama-gguf-split --merge first")
    }
    try translateConfig()
    try translateTensors()
    try checkStacks()
    describeTensors()
  }

  private mutating func translateConfig() throws(GRAOError) {
    config["architectures"] = [.string(architecture.className)]
    config["model_type"] = .string(architecture.modelTypes[0])
    for trait in architecture.traits { try trait.read(source, into: &config) }
    for (key, ggufKey) in [
      ("bos_token_id", "bos_token_id"), ("eos_token_id", "eos_token_id"), ("pad_token_id", "padding_token_id"),
    ] {
      if let id = file.metadata["tokenizer.ggml.\(ggufKey)"]?.integer { config[key] = .integer(id) }
    }
    generationConfig = stops()
  }

  /// The ids at which sampling stops: the end of the text, of a turn, of a message.
  private func stops() -> Table? {
    var ids: [Int] = []
    for key in ["eos_token_id", "eot_token_id", "eom_token_id"] {
      if let id = file.metadata["tokenizer.ggml.\(key)"]?.integer, !ids.contains(id) { ids.append(id) }
    }
    guard let first = ids.first else { return nil }
    var table = Table()
    table["bos_token_id"] = config["bos_token_id"]
    table["eos_token_id"] = ids.count == 1 ? .integer(first) : .array(ids.map { .integer($0) })
    return table
  }

  // MARK: Tensors

  private mutating func translateTensors() throws(GRAOError) {
    let ofModel = Dictionary(uniqueKeysWithValues: architecture.globalTensors.map { ($0.name, $0.place) })
    let ofLayer = Dictionary(uniqueKeysWithValues: architecture.layerTensors.map { ($0.name, $0.place) })
    let layers = config["num_hidden_layers"]?.integer ?? 0
    for tensor in file.tensors where !Self.descriptions.contains(tensor.name) {
      if let place = ofModel[tensor.name] {
        try put(tensor, place, prefix: "", expert: nil)
        continue
      }
      let parts = tensor.name.split(separator: ".", maxSplits: 2)
      guard parts.count == 3, parts[0] == "blk", let layer = Int(parts[1]), String(layer) == parts[1], layer >= 0 else {
        throw failure(tensor, "has no place in the architecture \(architecture.modelTypes[0])")
      }
      guard layer < layers else { throw failure(tensor, "is beyond the last layer") }
      let (name, expert) = Self.expert(String(parts[2]))
      guard let place = ofLayer[name] else {
        throw failure(tensor, "has no place in the architecture \(architecture.modelTypes[0])")
      }
      try put(tensor, place, prefix: "model.layers.\(layer).", expert: expert)
    }
  }

  /// "ffn_up.3.weight" as "ffn_up.{}.weight" and 3.
  private static func expert(_ name: String) -> (name: String, index: Int?) {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, let index = Int(parts[1]), String(index) == parts[1] else { return (name, nil) }
    return ("\(parts[0]).{}.\(parts[2])", index)
  }

  private mutating func put(
    _ tensor: GGUFFile.Tensor, _ place: GGUFPlace, prefix: String, expert: Int?
  ) throws(GRAOError) {
    switch place {
    case .whole(let name), .latent(let name): try set(prefix + name, GGUFView(tensor: tensor, shape: tensor.shape))
    case .shifted(let name):
      try set(prefix + name, GGUFView(tensor: tensor, shape: tensor.shape, arrangement: .shifted))
    case .row(let name): try set(prefix + name, GGUFView(tensor: tensor, shape: [1] + tensor.shape.suffix(1)))
    case .interleaved(let name, let key):
      guard let heads = config[key]?.integer, let rows = tensor.shape.first, rows > 0, rows % (2 * heads) == 0,
        tensor.shape.count == 2 || tensor.type.blockElements == 1
      else { throw failure(tensor, "of shape \(tensor.shape) does not fit \(key)") }
      try set(
        prefix + name,
        GGUFView(tensor: tensor, shape: tensor.shape, arrangement: .interleaved(half: rows / (2 * heads))))
    case .experts(let name): try putExperts(tensor, [name], prefix: prefix)
    case .expertPairs(let first, let second): try putExperts(tensor, [first, second], prefix: prefix)
    case .stacked(let name, let stacking): try putStacked(tensor, prefix + name, stacking)
    case .expert(let name):
      guard let expert, let experts, expert < experts else { throw failure(tensor, "is beyond the last expert") }
      try set(prefix + GGUFArchitecture.fill(name, expert), GGUFView(tensor: tensor, shape: tensor.shape))
    case .latentKeys(let name): try putLatent(prefix + name, keys: tensor, prefix: prefix)
    case .latentValues:
      // It comes with the keys.
      guard file.tensors.contains(where: { $0.name == tensor.name.replacing("attn_v_b", with: "attn_k_b") }) else {
        throw failure(tensor, "has no attn_k_b beside it")
      }
    }
  }

  private mutating func set(_ name: String, _ view: GGUFView) throws(GRAOError) {
    guard views.updateValue(view, forKey: name) == nil else {
      throw failure(view.tensor, "is the second to hold \(name)")
    }
  }

  private var experts: Int? {
    ["num_experts", "num_local_experts", "n_routed_experts"].lazy.compactMap { config[$0]?.integer }.first
  }

  /// All experts of one projection, or of several, rows after rows.
  private mutating func putExperts(
    _ tensor: GGUFFile.Tensor, _ names: [String], prefix: String
  ) throws(GRAOError) {
    guard tensor.shape.count == 3, let experts, tensor.shape[0] == experts, tensor.shape[1] % names.count == 0 else {
      throw failure(tensor, "of shape \(tensor.shape) does not fit the number of experts, \(experts ?? 0)")
    }
    let rows = tensor.shape[1] / names.count
    for expert in 0..<experts {
      for (part, name) in names.enumerated() {
        try set(
          prefix + GGUFArchitecture.fill(name, expert),
          GGUFView(
            tensor: tensor, firstElement: (expert * names.count + part) * rows * tensor.shape[2],
            shape: [rows, tensor.shape[2]]))
      }
    }
  }

  /// One part of a stack of experts.
  private mutating func putStacked(
    _ tensor: GGUFFile.Tensor, _ name: String, _ stacking: GGUFStacking
  ) throws(GRAOError) {
    guard (2...3).contains(tensor.shape.count), let experts, tensor.shape[0] == experts,
      tensor.shape.allSatisfy({ $0 > 0 }), tensor.shape.count == 3 || tensor.type.blockElements == 1
    else {
      throw failure(tensor, "of shape \(tensor.shape) does not fit the number of experts, \(experts ?? 0)")
    }
    var parts = [(tensor: tensor, stacking: stacking)]
    let shape = stacking.stack(of: tensor.shape)
    if let other = views[name], case .stacked(let before) = other.arrangement {
      guard other.shape == shape else {
        throw failure(tensor, "of shape \(tensor.shape) does not fit \(other.tensor.name) of \(other.tensor.shape)")
      }
      parts = before + parts
    }
    views[name] = GGUFView(tensor: tensor, shape: shape, arrangement: .stacked(parts))
  }

  private func checkStacks() throws(GRAOError) {
    for (name, view) in views {
      guard case .stacked(let parts) = view.arrangement, parts.count < parts[0].stacking.parts else { continue }
      throw failure(view.tensor, "is only a part of \(name): the other is missing")
    }
  }

  private mutating func putLatent(_ name: String, keys: GGUFFile.Tensor, prefix: String) throws(GRAOError) {
    let valuesName = keys.name.replacing("attn_k_b", with: "attn_v_b")
    guard let values = file.tensors.first(where: { $0.name == valuesName }) else {
      throw failure(keys, "has no \(valuesName) beside it")
    }
    guard let heads = config["num_attention_heads"]?.integer, let rank = config["kv_lora_rank"]?.integer,
      let keySize = config["qk_nope_head_dim"]?.integer, let valueSize = config["v_head_dim"]?.integer,
      keys.shape == [heads, rank, keySize], values.shape == [heads, valueSize, rank]
    else {
      throw failure(keys, "of shape \(keys.shape), and \(valuesName) of \(values.shape), do not fit the heads' sizes")
    }
    try set(
      name,
      GGUFView(
        tensor: keys, shape: [heads * (keySize + valueSize), rank], arrangement: .latent(values: values)))
  }

  private func failure(_ tensor: GGUFFile.Tensor, _ what: String) -> GRAOError {
    GRAOError("\(file.path): tensor \"\(tensor.name)\" \(what)")
  }

  /// The keys that the tensors tell.
  private mutating func describeTensors() {
    for (key, suffix) in [("attention_bias", "self_attn.o_proj.bias"), ("mlp_bias", "mlp.down_proj.bias")]
    where views["model.layers.0.\(suffix)"] != nil {
      config[key] = true
    }
    config["tie_word_embeddings"] = .boolean(views["lm_head.weight"] == nil)
    if let rows = views["model.embed_tokens.weight"]?.shape.first { config["vocab_size"] = .integer(rows) }
    let types = Set(views.values.filter { $0.shape.count > 1 }.map(\.tensor.type.elementType.saved))
    config["torch_dtype"] = .string((types.count == 1 ? types.first ?? .float32 : .float32).rawValue)
  }
}

extension GGUFArchitecture {
  /// A name with an expert's index in place of "{}".
  static func fill(_ name: String, _ expert: Int) -> String { name.replacing("{}", with: String(expert)) }
}
