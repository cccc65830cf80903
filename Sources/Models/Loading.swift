import Checkpoints
import Kernels
import Values

extension Network {
  /// The network that a checkpoint describes, filled from it.
  package static func load(
    _ checkpoint: any Checkpoint, computeType: ComputeType = .float32
  ) throws(GRAOError) -> Network {
    let network = try Network(
      Configuration(checkpoint.config, source: checkpoint.path), computeType: computeType,
      stored: Set(checkpoint.tensors.keys))
    network.ignoredTensors = try network.check(checkpoint)
    try network.fill(from: checkpoint)
    try network.scoreHead?.load(checkpoint)
    return network
  }

  /// A tensor that is missing, has another shape or is not known to the architecture is an error that names it.
  ///
  /// Returns the names of those that may be there but are not used, sorted.
  @discardableResult
  package func check(_ checkpoint: any Checkpoint) throws(GRAOError) -> [String] {
    var unknown = Set(checkpoint.tensors.keys)
    for tensor in parameters.tensors + (scoreHead?.parameters.tensors ?? []) {
      guard let found = checkpoint.tensors[tensor.name] else {
        throw GRAOError("\(checkpoint.path): tensor '\(tensor.name)' of shape \(tensor.shape) is missing")
      }
      guard found.shape == tensor.shape else {
        throw GRAOError(
          "\(checkpoint.path): tensor '\(tensor.name)' has shape \(found.shape), expected \(tensor.shape)")
      }
      unknown.remove(tensor.name)
    }
    let ignored = unknown.filter(isIgnorable)
    if let name = unknown.subtracting(ignored).min() {
      throw GRAOError("\(checkpoint.path): tensor '\(name)' is unknown to the architecture '\(architecture.modelType)'")
    }
    return ignored.sorted()
  }

  /// Fills every parameter straight from the files, some rows at a time: nothing is held twice.
  private func fill(from checkpoint: any Checkpoint) throws(GRAOError) {
    for parameter in parameters.parameters {
      var first = 0
      while first < parameter.rows {
        let rows = first..<min(first + parameter.rowsAtOnce, parameter.rows)
        try fill(rows, of: parameter, from: checkpoint)
        first = rows.upperBound
      }
    }
  }

  /// Rows of a parameter, from the rows of the tensor that they lie in.
  private func fill(
    _ rows: Range<Int>, of parameter: Parameter, from checkpoint: any Checkpoint
  ) throws(GRAOError) {
    let (span, width) = (parameter.tensorRows(of: rows), parameter.tensorColumns)
    let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: span.count * width)
    defer { buffer.deallocate() }
    try checkpoint.read(parameter.placement.tensor, rows: span, into: buffer)
    parameters.set(parameter, rows: rows, from: UnsafeBufferPointer(buffer), startingAt: span.lowerBound * width)
  }

  /// Whether a tensor of the checkpoint that the network does not use may be there all the same: rotary tables that old
  /// checkpoints hold, a tied head written out, which is the embedding again, and what the architecture names.
  package func isIgnorable(_ tensor: String) -> Bool {
    tensor.hasSuffix(".rotary_emb.inv_freq") || decoder.isTied && tensor == "lm_head.weight"
      || architecture.isIgnorable(tensor, configuration)
  }
}
