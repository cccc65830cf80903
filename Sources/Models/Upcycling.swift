import Foundation
import Values

/// Sparse upcycling (arXiv 2212.05055): a dense model as a mixture of experts.
extension Network {
  /// A sparse network whose experts are copies of this one's feed-forwards: mixtral from llama or mistral, qwen3_moe from
  /// qwen3. The router is random, and the chosen experts' weights sum to 1; so without noise the two models say the same,
  /// to rounding.
  /// - Parameters:
  ///   - noise: standard deviation of what is added to the experts' weights, as a share of each matrix's root mean square.
  /// - Throws: where the architecture has no sparse counterpart, or uses what the counterpart lacks.
  package func upcycled(
    experts: Int, perToken: Int, seed: UInt64, noise: Double
  ) throws(GRAOError) -> Network {
    let target = try UpcyclingTarget(self, experts: experts, perToken: perToken)
    let sparse = try Network(
      Configuration(target.config, source: "\(configuration.source), upcycled"), computeType: parameters.computeType)
    try sparse.initialize(seed: seed)
    var values: [String: [Float]] = [:]
    for tensor in parameters.tensors {
      var elements = [Float](repeating: 0, count: tensor.count)
      elements.withUnsafeMutableBufferPointer { parameters.get(tensor, into: $0) }
      values[tensor.name] = elements
    }
    for (index, tensor) in sparse.parameters.tensors.enumerated() {
      // What the dense model has no counterpart of is the router.
      guard var elements = values[target.origin(of: tensor.name)] else { continue }
      if noise > 0, target.isExpert(tensor.name) {
        var stream = RandomStream(seed: seed, 1, UInt64(index))
        let scale = Float(noise) * Self.rootMeanSquare(elements)
        for place in elements.indices { elements[place] += scale * Float(stream.normal()) }
      }
      elements.withUnsafeBufferPointer { sparse.parameters.set(tensor, from: $0) }
    }
    return sparse
  }

  private static func rootMeanSquare(_ elements: [Float]) -> Float {
    let squares = elements.reduce(0.0) { $0 + Double($1) * Double($1) }
    return Float((squares / Double(max(elements.count, 1))).squareRoot())
  }
}

/// The sparse architecture that a dense one becomes: its configuration, and where its tensors come from.
private struct UpcyclingTarget {
  let config: Table
  /// The dense name of each expert matrix, by its sparse name.
  private let matrices: [(sparse: String, dense: String)]
  private let block: String

  init(_ network: Network, experts: Int, perToken: Int) throws(GRAOError) {
    let source = network.configuration
    guard experts >= 2, perToken >= 1, perToken <= experts else {
      throw GRAOError("upcycling needs two experts or more, and 1 to \(experts) per token")
    }
    var config = source.table
    config["num_experts_per_tok"] = .integer(perToken)
    config["num_local_experts"] = .integer(experts)
    // Defaults differ.
    for (key, value) in [
      ("num_key_value_heads", network.plan.keyValueHeads), ("head_dim", network.plan.headSize),
      ("max_position_embeddings", network.plan.context),
    ] where config[key] == nil { config[key] = .integer(value) }
    switch network.architecture.modelType {
    case "llama", "mistral":
      for key in ["attention_bias", "mlp_bias"] {
        try source.require(key, oneOf: [false], because: "mixtral has no biases, so the model cannot be upcycled")
      }
      config["model_type"] = "mixtral"
      config["architectures"] = ["MixtralForCausalLM"]
      for key in ["attention_bias", "mlp_bias", "pretraining_tp"] { config[key] = nil }
      // Mixtral's defaults differ.
      if config["sliding_window"] == nil {
        config["sliding_window"] = network.architecture.modelType == "mistral" ? 4096 : .null
      }
      if config["rope_theta"] == nil, config["rope_parameters"] == nil { config["rope_theta"] = 10_000 }
      if config["rms_norm_eps"] == nil { config["rms_norm_eps"] = 1e-6 }
      block = "block_sparse_moe"
      matrices = [("w1", "gate_proj"), ("w2", "down_proj"), ("w3", "up_proj")]
    case "qwen3":
      config["model_type"] = "qwen3_moe"
      config["architectures"] = ["Qwen3MoeForCausalLM"]
      config["num_experts"] = .integer(experts)
      config["num_local_experts"] = nil
      config["moe_intermediate_size"] = config["intermediate_size"]
      config["norm_topk_prob"] = true
      config["decoder_sparse_step"] = 1
      config["mlp_only_layers"] = []
      block = "mlp"
      matrices = [("gate_proj", "gate_proj"), ("down_proj", "down_proj"), ("up_proj", "up_proj")]
    case let type:
      throw GRAOError(
        "\(source.source): a model of the architecture '\(type)' cannot be upcycled: expected llama, mistral or qwen3")
    }
    self.config = config
  }

  func isExpert(_ name: String) -> Bool { name.contains(".\(block).experts.") }

  /// The dense tensor that a sparse one starts as.
  func origin(of name: String) -> String {
    guard isExpert(name), let dot = name.range(of: ".\(block).experts.") else { return name }
    let layer = name[..<dot.lowerBound]
    let part = name[dot.upperBound...].split(separator: ".").dropFirst().first.map(String.init) ?? ""
    return "\(layer).mlp.\(matrices.first { $0.sparse == part }?.dense ?? part).weight"
  }
}
