import Foundation
import Values

/// A Hugging Face tensor within a GGUF file: a whole tensor, or a slice of one.
struct GGUFView {
  let tensor: GGUFFile.Tensor
  var firstElement = 0
  let shape: [Int]
  /// Half the rows of an attention head, where the file has them interleaved: 0, n, 1, n + 1, …
  var interleavedPairs: Int?
}

/// A GGUF file's metadata and tensors in the terms of Hugging Face transformers.
struct GGUFTranslation {
  private(set) var config = Table()
  private(set) var generationConfig: Table?
  /// By Hugging Face name.
  private(set) var views: [String: GGUFView] = [:]
  private let file: GGUFFile
  private let architecture: GGUFArchitecture

  init(_ file: GGUFFile) throws(GRAOError) {
    self.file = file
    guard let name = file.metadata["general.architecture"]?.string else {
      throw GRAOError("\(file.path): the metadata key \"general.architecture\" is missing")
    }
    guard let architecture = GGUFArchitecture.find(name, in: file.metadata) else {
      throw GRAOError(
        "\(file.path): the architecture \"\(name)\" is not supported; expected one of "
          + GGUFArchitecture.all.keys.sorted().joined(separator: ", "))
    }
    self.architecture = architecture
    if let count = file.metadata["split.count"]?.integer, count > 1 {
      throw GRAOError("\(file.path): one of \(count) parts of a model; join them with llama-gguf-split --merge first")
    }
    try translateConfig(name)
    try translateTensors()
    describeTensors()
  }

  private mutating func translateConfig(_ name: String) throws(GRAOError) {
    config["architectures"] = [.string(architecture.className)]
    config["model_type"] = .string(architecture.modelType)
    for key in GGUFArchitecture.commonKeys + architecture.keys {
      config[key.name] = try key.value(in: file, prefix: name)
    }
    for (key, value) in architecture.constants { config[key] = value }
    for (key, ggufKey) in [
      ("bos_token_id", "bos_token_id"), ("eos_token_id", "eos_token_id"), ("pad_token_id", "padding_token_id"),
    ] {
      if let id = file.metadata["tokenizer.ggml.\(ggufKey)"]?.integer { config[key] = .integer(id) }
    }
    try checkHeads(name)
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

  /// Sets head_dim, and refuses what the architectures here do not compute.
  private mutating func checkHeads(_ name: String) throws(GRAOError) {
    guard let hidden = config["hidden_size"]?.integer, let heads = config["num_attention_heads"]?.integer else {
      return
    }
    let headKey = "\(name).attention.key_length"
    guard let head = file.metadata[headKey]?.integer ?? (hidden % heads == 0 ? hidden / heads : nil), head > 0 else {
      throw GRAOError("\(file.path): \(headKey): expected the size of a head (\(hidden) in \(heads) heads does not go)")
    }
    config["head_dim"] = .integer(head)
    for key in ["attention.value_length", "rope.dimension_count"] {
      guard let size = file.metadata["\(name).\(key)"]?.integer, size != head else { continue }
      throw GRAOError("\(file.path): \(name).\(key) is \(size); expected the size of a head, \(head)")
    }
    if let scaling = file.metadata["\(name).rope.scaling.type"]?.string, scaling != "none" {
      throw GRAOError("\(file.path): \(name).rope.scaling.type \"\(scaling)\" is not supported")
    }
  }

  private mutating func translateTensors() throws(GRAOError) {
    for tensor in file.tensors {
      let what = "\(file.path): tensor \"\(tensor.name)\""
      if let name = GGUFArchitecture.globalTensors[tensor.name] {
        views[name] = GGUFView(tensor: tensor, shape: tensor.shape)
        continue
      }
      let parts = tensor.name.split(separator: ".", maxSplits: 2)
      guard parts.count == 3, parts[0] == "blk", let layer = Int(parts[1]), String(layer) == parts[1],
        let place = architecture.layerTensors[String(parts[2])]
      else { throw GRAOError("\(what) has no place in the architecture \(architecture.modelType)") }
      guard let layers = config["num_hidden_layers"]?.integer, layer >= 0, layer < layers else {
        throw GRAOError("\(what) is beyond the last layer")
      }
      let prefix = "model.layers.\(layer)."
      switch place {
      case .whole(let name): views[prefix + name] = GGUFView(tensor: tensor, shape: tensor.shape)
      case .interleaved(let name, let headsKey):
        guard let heads = config[headsKey]?.integer, tensor.shape.count == 2, tensor.shape[0] % (2 * heads) == 0 else {
          throw GRAOError("\(what): the shape \(tensor.shape) does not fit \(headsKey)")
        }
        views[prefix + name] = GGUFView(
          tensor: tensor, shape: tensor.shape, interleavedPairs: tensor.shape[0] / (2 * heads))
      case .row(let name): views[prefix + name] = GGUFView(tensor: tensor, shape: [1] + tensor.shape.suffix(1))
      case .experts(let name):
        let experts = (config["num_experts"] ?? config["num_local_experts"])?.integer
        guard tensor.shape.count == 3, tensor.shape[0] == experts else {
          throw GRAOError("\(what): the shape \(tensor.shape) does not fit the number of experts")
        }
        let parts = name.components(separatedBy: "{}")
        for expert in 0..<tensor.shape[0] {
          views[prefix + parts.joined(separator: String(expert))] = GGUFView(
            tensor: tensor, firstElement: expert * tensor.shape[1] * tensor.shape[2],
            shape: Array(tensor.shape[1...]))
        }
      }
    }
  }

  /// The keys that the tensors tell.
  private mutating func describeTensors() {
    config["tie_word_embeddings"] = .boolean(views["lm_head.weight"] == nil)
    if let rows = views["model.embed_tokens.weight"]?.shape.first { config["vocab_size"] = .integer(rows) }
    let types = Set(views.values.filter { $0.shape.count > 1 }.map(\.tensor.type.elementType.saved))
    config["torch_dtype"] = .string((types.count == 1 ? types.first ?? .float32 : .float32).rawValue)
  }
}
