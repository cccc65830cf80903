import Checkpoints
import Values

/// A checkpoint that differs from one on disk in its configuration or in how its tensors are cut.
package final class EditedCheckpoint: Checkpoint {
  package let path: String
  package let config: Table
  package let generationConfig: Table?
  package let tokenizer = TokenizerSource.none
  package private(set) var tensors: [String: TensorInfo]
  private let original: any Checkpoint
  /// The original's tensors that follow each other in one of this.
  private var parts: [String: [String]] = [:]
  private var isZero: (String) -> Bool = { _ in false }

  package init(_ original: any Checkpoint, config: Table? = nil) {
    self.original = original
    path = original.path
    self.config = config ?? original.config
    generationConfig = original.generationConfig
    tensors = original.tensors
  }

  /// Adds a tensor that nothing reads.
  package func add(_ name: String, _ shape: [Int]) {
    tensors[name] = TensorInfo(name: name, shape: shape, elementType: .float32)
  }

  package func remove(_ isRemoved: (String) -> Bool) { tensors = tensors.filter { !isRemoved($0.key) } }

  /// Makes the elements of tensors 0.
  package func zero(_ isZero: @escaping (String) -> Bool) { self.isZero = isZero }

  /// Stacks experts stored one by one as transformers 5 holds them in memory: gate_up_proj [E, 2F, C] and
  /// down_proj [E, C, F].
  package func fuseExperts() {
    for (gate, up, down) in [("gate_proj", "up_proj", "down_proj"), ("w1", "w3", "w2")] {
      for first in original.tensors.keys where first.hasSuffix(".experts.0.\(gate).weight") {
        let prefix = String(first.dropLast("0.\(gate).weight".count))
        let experts = (0...).prefix { original.tensors["\(prefix)\($0).\(gate).weight"] != nil }
        fuse(prefix + "gate_up_proj", experts.flatMap { e in [gate, up].map { "\(prefix)\(e).\($0).weight" } }, 2)
        fuse(prefix + "down_proj", experts.map { "\(prefix)\($0).\(down).weight" }, 1)
      }
    }
  }

  private func fuse(_ name: String, _ names: [String], _ perExpert: Int) {
    guard let shape = original.tensors[names[0]]?.shape else { return }
    parts[name] = names
    for part in names { tensors[part] = nil }
    add(name, [names.count / perExpert, perExpert * shape[0], shape[1]])
  }

  package func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws(GRAOError) {
    if isZero(name) { return destination.update(repeating: 0) }
    var rest = destination[...]
    for part in parts[name] ?? [name] {
      let count = original.tensors[part]?.elementCount ?? 0
      try original.read(part, into: UnsafeMutableBufferPointer(rebasing: rest.prefix(count)))
      rest = rest.dropFirst(count)
    }
  }
}
