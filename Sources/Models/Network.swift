import Foundation
import Kernels
import Values

/// A model's parameters and layers: token ids in, hidden states, log-probabilities and gradients out. It knows of no
/// text.
package final class Network {
  /// config.json as it was read, or given.
  package let configuration: Configuration
  package let architecture: any Architecture.Type
  package let parameters: ParameterStore
  package let decoder: Decoder
  package let plan: ArchitecturePlan
  /// Names of the checkpoint's tensors that the layers do not use: a save carries them through.
  package internal(set) var ignoredTensors: [String] = []
  package let workspace: Workspace
  /// What a rollout has left for the first pass that trains on it.
  package internal(set) var activations: ActivationCache?
  /// A policy's value head, or what a classifier scores with.
  package var scoreHead: ScoreHead?
  /// Whether it scores sequences, and says nothing of tokens: transformers' …ForSequenceClassification.
  package var isClassifier: Bool
  /// Whether the weights are still those of the file or the initialisation.
  package var isTrained = false

  /// Composes the layers; every parameter is 0.
  /// - Parameters:
  ///   - computeType: what products compute in.
  ///   - stored: names of the tensors of the checkpoint that is to be loaded.
  ///   - allocate: without memory for its parameters, a network only describes itself.
  package init(
    _ configuration: Configuration, computeType: ComputeType = .float32, stored: Set<String> = [],
    allocate: Bool = true
  ) throws(GRAOError) {
    guard let type = configuration.table["model_type"]?.string else {
      throw configuration.failure("model_type", "is missing: expected one of \(Self.modelTypes)")
    }
    guard let architecture = architectures.first(where: { $0.modelType == type }) else {
      throw configuration.failure("model_type", "is '\(type)': expected one of \(Self.modelTypes)")
    }
    self.configuration = configuration
    self.architecture = architecture
    workspace = Workspace()
    parameters = ParameterStore(computeType: computeType, stored: stored, allocates: allocate)
    plan = try architecture.decoder(configuration, in: parameters)
    decoder = plan.decoder
    isClassifier = configuration.isClassifier
    if isClassifier || stored.contains(ScoreHead.tensor) {
      let labels = isClassifier ? try configuration.labels() : 1
      scoreHead = try ScoreHead(outputs: labels, channels: decoder.channels, start: .normal)
      if isClassifier { try checkClassifier() }
    }
    guard allocate else { return }
    do { try parameters.allocate() } catch { throw GRAOError("\(configuration.source): \(error.message)") }
  }

  /// The network as it is now, whatever becomes of this one. It shares the weights until they change, and the working
  /// memory: the two are used one after the other.
  package func frozen() -> Network { Network(sharing: self, workspace) }

  /// The same weights, shared until they change, without a head.
  init(sharing network: Network, _ workspace: Workspace) {
    configuration = network.configuration
    architecture = network.architecture
    parameters = network.parameters.shared()
    decoder = network.decoder
    plan = network.plan
    isClassifier = network.isClassifier
    self.workspace = workspace
  }

  private static var modelTypes: String { architectures.map { $0.modelType }.joined(separator: ", ") }

  package var layers: Int { decoder.layers.count }
  /// The largest number of experts that a layer has; 0 for a dense model.
  package var experts: Int { decoder.layers.map { $0.body.experts }.max() ?? 0 }

  /// Of the tensors that a save writes.
  package var parameterCount: Int { savedTensors().reduce(0) { $0 + $1.tensor.count } }

  /// Parameters that one token uses: all but the experts it is not routed to.
  package var activeParameterCount: Int {
    decoder.layers.reduce(parameterCount) { total, layer in
      total - layer.body.inactiveParameterCount
    }
  }

  /// Bytes that one token's keys and values take in all layers.
  package var cacheBytesPerToken: Int { layers * plan.keyValueWidth.bytes }

  /// Random weights as transformers initialises them: matrices normal with config's `initializer_range`, norms 1,
  /// biases 0. A parameter's numbers depend on the seed and its place alone.
  package func initialize(seed: UInt64) throws(GRAOError) {
    let deviation = Float(try configuration.number("initializer_range", default: 0.02))
    let head = scoreHead.map { [($0.parameters, $0.weight)] } ?? []
    for (index, (store, parameter)) in (parameters.parameters.map { (parameters, $0) } + head).enumerated() {
      var tensor = [Float](repeating: parameter.start == .ones ? 1 : 0, count: parameter.count)
      if parameter.start == .normal {
        var stream = RandomStream(seed: seed, UInt64(index))
        for i in tensor.indices { tensor[i] = deviation * Float(stream.normal()) }
      }
      tensor.withUnsafeBufferPointer { store.set(parameter, from: $0) }
    }
  }

  /// To be called when ``ParameterStore/all`` has been changed: from here on the network computes with it.
  /// - Parameter isRounded: whether what products read has been changed with it (``ParameterStore/halves(of:)``).
  package func didTrain(isRounded: Bool = false) {
    if !isRounded { parameters.renew() }
    dropActivations()
    isTrained = true
  }

  /// Frees the weights; the network can't be used after it.
  package func close() {
    parameters.release()
    scoreHead = nil
    activations = nil
    workspace.free()
  }
}

extension RandomStream {
  /// A standard normal number (Box and Muller, 1958).
  mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }
}
