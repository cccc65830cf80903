import Checkpoints
import Kernels
import Values

/// Numbers from hidden states: y = h · wᵀ. The value of a token for ppo, or the score of a sequence, as in transformers'
/// …ForSequenceClassification. Its weights have a store of their own: a policy's are the same with and without it.
package final class ScoreHead {
  /// Its tensor in a checkpoint, [outputs, C].
  package static let tensor = "score.weight"

  package let parameters = ParameterStore()
  let weight: Parameter
  package var outputs: Int { weight.shape[0] }

  /// - Parameter channels: C.
  init(outputs: Int, channels: Int, start: Parameter.Start) throws(GRAOError) {
    weight = parameters.matrix(Self.tensor, outputs, channels, start: start)
    try parameters.allocate()
  }

  /// What ``forward(_:_:_:)`` computed, and what the way back needs.
  package struct Scores {
    /// [R, outputs].
    package let values: Matrix
    /// [R, C]: the hidden states that were read.
    let inputs: Matrix
    let rows: Indices
  }

  /// The numbers of rows of hidden[T, C].
  func forward(_ hidden: Matrix, _ targets: Targets, _ workspace: Workspace) -> Scores {
    let rows = workspace.indices(targets.rows)
    let inputs = workspace.matrix(rows.count, hidden.columns)
    gatherRows(hidden, rows, into: inputs)
    let values = workspace.matrix(rows.count, outputs)
    product(inputs, parameters.weights(weight), into: values)
    return Scores(values: values, inputs: inputs, rows: rows)
  }

  /// Adds the gradient of Σ dvalues · values to dhidden[T, C] and to the weights; dvalues[R, outputs].
  func backward(_ dvalues: Matrix, _ scores: Scores, addingTo dhidden: Matrix, _ workspace: Workspace) {
    productWeightGradient(dvalues, scores.inputs, addingTo: parameters.weightGradient(weight))
    let drows = workspace.matrix(scores.inputs.rows, scores.inputs.columns)
    productInputGradient(dvalues, parameters.weights(weight), into: drows)
    scatterAddRows(drows, scores.rows, to: dhidden)
  }

  /// Fills the weights from a checkpoint that has them.
  func load(_ checkpoint: any Checkpoint) throws(GRAOError) {
    var elements = [Float](repeating: 0, count: weight.count)
    do {
      try elements.withUnsafeMutableBufferPointer { try checkpoint.read(Self.tensor, into: $0) }
    } catch let error as GRAOError {
      throw error
    } catch {
      throw GRAOError("\(checkpoint.path): tensor '\(Self.tensor)': \(error)")
    }
    elements.withUnsafeBufferPointer { parameters.set(weight, from: $0) }
  }
}

// MARK: A network's head

extension Network {
  /// Gives a policy a value head whose values are all 0 at first; one that it has already is kept.
  package func addValueHead() throws(GRAOError) {
    guard scoreHead == nil else { return }
    scoreHead = try ScoreHead(outputs: 1, channels: decoder.channels, start: .zeros)
  }

  /// Makes a language model one that scores sequences, as transformers makes one from such a checkpoint: with a new head,
  /// normal with config's `initializer_range`.
  /// - Parameter seed: names the head's numbers.
  package func becomeClassifier(seed: UInt64) throws(GRAOError) {
    guard !isClassifier else { return }
    try checkClassifier()
    let head = try ScoreHead(outputs: 1, channels: decoder.channels, start: .normal)
    let deviation = Float(try configuration.number("initializer_range", default: 0.02))
    var stream = RandomStream(seed: seed, 0x73_636F_7265)
    let elements = (0..<head.weight.count).map { _ in deviation * Float(stream.normal()) }
    elements.withUnsafeBufferPointer { head.parameters.set(head.weight, from: $0) }
    scoreHead = head
    isClassifier = true
  }

  /// A second network with the same weights, which are shared until one of the two changes; for a critic.
  package func copy() throws(GRAOError) -> Network {
    let copy = Network(sharing: self, Workspace())
    if let scoreHead {
      let head = try ScoreHead(outputs: scoreHead.outputs, channels: decoder.channels, start: .zeros)
      head.parameters.copy(scoreHead.parameters)
      copy.scoreHead = head
    }
    return copy
  }

  /// Refuses what transformers has no …ForSequenceClassification for.
  func checkClassifier() throws(GRAOError) {
    guard architecture.classifierName != nil else {
      throw GRAOError(
        "\(configuration.source): transformers has no sequence classification for the architecture "
          + "'\(architecture.modelType)', so it cannot be a reward model")
    }
  }

  /// All that is trained: the layers' parameters and the head's.
  package var stores: [ParameterStore] { [parameters] + (scoreHead.map { [$0.parameters] } ?? []) }

  package func zeroGradients() {
    for store in stores { store.zeroGradients() }
  }

  /// Tensors that a save writes, with the store that holds each.
  /// - Parameter withHead: whether a policy's value head is written too; a classifier's always is.
  package func savedTensors(withHead: Bool = false) -> [(tensor: StoredTensor, store: ParameterStore)] {
    // The vocabulary's weights that a classifier still has from when it was a language model are not part of it.
    let head = decoder.head.weight.placement.tensor
    let tensors = parameters.tensors.filter { !isClassifier || decoder.isTied || $0.name != head }
    var saved = tensors.map { ($0, parameters) }
    if let scoreHead, isClassifier || withHead {
      saved += scoreHead.parameters.tensors.map { ($0, scoreHead.parameters) }
    }
    return saved
  }

  /// config.json's table as it should be saved: a classifier's names its class and its labels.
  package var savedConfiguration: Table {
    var config = configuration.table
    if let scoreHead, isClassifier, let name = architecture.classifierName {
      config["architectures"] = [.string(name)]
      let labels = (0..<scoreHead.outputs).map { "LABEL_\($0)" }
      if config["id2label"]?.table?.count != labels.count {
        config["id2label"] = .table(Table(labels.enumerated().map { (String($0), .string($1)) }))
        config["label2id"] = .table(Table(labels.enumerated().map { ($1, .integer($0)) }))
      }
    }
    if config["architectures"] == nil { config["architectures"] = [.string(architecture.className)] }
    return config
  }
}

extension Configuration {
  private static let classifierSuffix = "ForSequenceClassification"

  /// Whether the checkpoint is one of transformers' …ForSequenceClassification: a decoder with a score head and without
  /// a vocabulary's.
  var isClassifier: Bool {
    table["architectures"]?.array?.contains { $0.string?.hasSuffix(Self.classifierSuffix) == true } ?? false
  }

  /// transformers derives the number of labels from their names; without names there are two.
  func labels() throws(GRAOError) -> Int {
    if let names = table["id2label"]?.table, !names.isEmpty { return names.count }
    return try count("num_labels", default: 2, atMost: 4096)
  }
}

extension Architecture {
  /// The class of transformers that scores sequences, for `architectures` in config.json.
  package static var classifierName: String? {
    className.replacingSuffix("ForCausalLM", by: "ForSequenceClassification")
  }
}

extension String {
  fileprivate func replacingSuffix(_ suffix: String, by other: String) -> String? {
    hasSuffix(suffix) ? dropLast(suffix.count) + other : nil
  }
}
