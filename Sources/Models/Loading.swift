import Checkpoints
import Values

extension Network {
  /// Fills every parameter from a checkpoint, tensor by tensor. A tensor that is missing, has another shape or is not
  /// known to the architecture is an error that names it.
  package func load(_ checkpoint: any Checkpoint) throws(GRAOError) {
    var unknown = Set(checkpoint.tensors.keys)
    for parameter in parameters.parameters {
      guard let tensor = checkpoint.tensors[parameter.name] else {
        throw GRAOError("\(checkpoint.path): tensor '\(parameter.name)' of shape \(parameter.shape) is missing")
      }
      guard tensor.shape == parameter.shape else {
        throw GRAOError(
          "\(checkpoint.path): tensor '\(parameter.name)' has shape \(tensor.shape), expected \(parameter.shape)")
      }
      unknown.remove(parameter.name)
    }
    // Rotary tables that old checkpoints hold; and a tied head written out, which is the embedding again.
    unknown = unknown.filter { !$0.hasSuffix(".rotary_emb.inv_freq") }
    if decoder.isTied { unknown.remove("lm_head.weight") }
    if let name = unknown.min() {
      throw GRAOError("\(checkpoint.path): tensor '\(name)' is unknown to the architecture '\(architecture.modelType)'")
    }

    var scratch: [Float] = []
    for parameter in parameters.parameters {
      if scratch.count < parameter.count { scratch = [Float](repeating: 0, count: parameter.count) }
      try scratch.withUnsafeMutableBufferPointer { buffer throws(GRAOError) in
        let tensor = UnsafeMutableBufferPointer(rebasing: buffer[..<parameter.count])
        try checkpoint.read(parameter.name, into: tensor)
        parameters.set(parameter, from: UnsafeBufferPointer(tensor))
      }
    }
  }
}
