import Checkpoints
import Foundation
import Models
import Tokenizers
import Values

/// What a model's files hold, found without reading its weights.
public struct Inspection {
  /// For people to read, in order.
  public private(set) var facts: [(name: String, value: String)] = []
  /// What keeps the model, or a part of it, from working here.
  public private(set) var problems: [String] = []

  /// - Parameter path: a Hugging Face model directory or a GGUF file. Throws where it is neither, or damaged.
  public init(_ path: String) throws(GRAOError) {
    let checkpoint = try openCheckpoint(path)
    note("format", isDirectory(path) ? "Hugging Face directory" : "GGUF")
    note("architecture", checkpoint.config["model_type"]?.string ?? "unknown")
    inspect(tensors: checkpoint)
    do throws(GRAOError) {
      let network = try Network(
        Configuration(checkpoint.config, source: path), stored: Set(checkpoint.tensors.keys), allocate: false)
      let half = try Network(
        network.configuration, computeType: .bfloat16, stored: Set(checkpoint.tensors.keys), allocate: false)
      inspect(network, half: half)
      try network.check(checkpoint)
    } catch {
      problems.append(error.message)
    }
    inspect(tokenizer: checkpoint, path)
  }

  private mutating func note(_ name: String, _ value: String) { facts.append((name, value)) }

  private mutating func inspect(tensors checkpoint: any Checkpoint) {
    var counts: [String: Int] = [:]
    for tensor in checkpoint.tensors.values { counts[tensor.elementType.rawValue, default: 0] += 1 }
    let types = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) (\($0.value) tensors)" }
    note("stored as", types.joined(separator: ", "))
  }

  /// - Parameter half: the same network in bfloat16.
  private mutating func inspect(_ network: Network, half: Network) {
    let (total, active) = (network.parameterCount, network.activeParameterCount)
    note("parameters", Self.count(total) + (active == total ? "" : ", \(Self.count(active)) active per token"))
    note("layers", "\(network.layers)")
    if network.experts > 0 {
      note("experts", "\(network.experts) per layer, \(network.plan.expertsPerToken) per token")
    }
    note("vocabulary", "\(network.plan.vocabulary)")
    note("context", "\(network.plan.context) tokens")
    let cache = network.cacheBytesPerToken
    note(
      "KV cache",
      "\(Self.bytes(cache)) per token, \(Self.bytes(Double(cache) * Double(network.plan.context))) for a full context")
    let (single, half) = (network.parameters, half.parameters)
    note(
      "memory to sample",
      "\(Self.bytes(single.bytes)) for the weights in float32, \(Self.bytes(half.bytes)) in bfloat16, and the KV cache")
    note(
      "memory to train",
      "\(Self.bytes(Self.training(single))) in float32, \(Self.bytes(Self.training(half))) in bfloat16, for weights, "
        + "gradients and AdamW's moments, and activations")
  }

  private mutating func inspect(tokenizer checkpoint: any Checkpoint, _ path: String) {
    do throws(GRAOError) {
      guard let tokenizer = try Tokenizer.load(checkpoint.tokenizer, chatTemplate: nil, path: path) else {
        return note("tokenizer", "none: works on token ids")
      }
      note("tokenizer", "\(tokenizer.kind), \(tokenizer.vocabularySize) tokens")
      guard tokenizer.chatTemplate != nil else { return note("chat template", "none") }
      note("chat template", "yes")
      if let problem = tokenizer.chatTemplateProblem { problems.append(problem) }
    } catch {
      note("tokenizer", "not supported")
      problems.append(error.message)
    }
  }

  /// Weights, gradients and both moments.
  private static func training(_ parameters: ParameterStore) -> Int {
    parameters.trainedBytes + 3 * parameters.gradientBytes
  }

  private static func count(_ number: Int) -> String {
    switch number {
    case 1_000_000_000...: String(format: "%.2f billion", Double(number) / 1e9)
    case 1_000_000...: String(format: "%.1f million", Double(number) / 1e6)
    default: "\(number)"
    }
  }

  private static func bytes(_ number: Int) -> String { bytes(Double(number)) }

  private static func bytes(_ number: Double) -> String {
    switch number {
    case 1e9...: String(format: "%.2f GB", number / 1e9)
    case 1e6...: String(format: "%.1f MB", number / 1e6)
    case 1e3...: String(format: "%.1f kB", number / 1e3)
    default: String(format: "%.0f bytes", number)
    }
  }
}
