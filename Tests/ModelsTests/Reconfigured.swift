import Checkpoints
import TestSupport
import Values

/// The tensors of a fixture under a configuration of its own.
final class Reconfigured: Checkpoint {
  private let base: any Checkpoint
  var path: String { base.path }
  var generationConfig: Table? { base.generationConfig }
  var tensors: [String: TensorInfo] { base.tensors }
  var tokenizer: TokenizerSource { base.tokenizer }
  let config: Table

  init(architecture name: String, _ change: (inout Table) -> Void) throws {
    base = try openCheckpoint(Fixtures.path("architectures/\(name)"))
    var config = base.config
    change(&config)
    self.config = config
  }

  func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws(GRAOError) {
    try base.read(name, into: destination)
  }
}
