import Foundation
import Kernels
import Values

/// All parameters of a model in one buffer, and the gradients in a second one of the same layout.
///
/// Matrices live in packed form alone: the products read it as it is, and whatever works element by element (the
/// optimizer, the norm of the gradient) does not care. Padding is 0 and stays 0.
package final class ParameterStore {
  package private(set) var parameters: [Parameter] = []
  private var extent = 0
  private var values = Buffer(bytes: 0)
  private var gradientBuffer: Buffer?

  private let stored: Set<String>
  /// Floats beyond which nothing more is declared: sizes come from files.
  private let limit: Int

  /// - Parameters:
  ///   - stored: names of the tensors of the checkpoint that is to be loaded.
  ///   - allocates: whether ``allocate()`` will follow; without it a store only describes, also what is larger than this
  ///     machine's memory.
  package init(stored: Set<String> = [], allocates: Bool = true) {
    self.stored = stored
    limit = allocates ? Self.maximumExtent : 1 << 50
  }

  // MARK: Declaration

  /// Whether the checkpoint that is to be loaded holds a tensor of this name; an architecture whose experts may be
  /// stored one by one or fused asks. False for a new model.
  func isStored(_ tensor: String) -> Bool { stored.contains(tensor) }

  func matrix(_ tensor: String, _ outputs: Int, _ inputs: Int, start: Parameter.Start = .normal) -> Parameter {
    matrix(outputs, inputs, at: Placement(tensor, [outputs, inputs]), start: start)
  }

  func matrix(_ outputs: Int, _ inputs: Int, at placement: Placement, start: Parameter.Start = .normal) -> Parameter {
    declare(.matrix, [outputs, inputs], start, placement, true, extent: packedCount(outputs: outputs, inputs: inputs))
  }

  func vector(_ tensor: String, _ channels: Int, _ start: Parameter.Start) -> Parameter {
    vector([channels], start, at: Placement(tensor, [channels]))
  }

  /// A vector, or one vector for each expert: [experts, channels].
  func vector(
    _ shape: [Int], _ start: Parameter.Start, at placement: Placement, isTrained: Bool = true
  ) -> Parameter {
    declare(.vector, shape, start, placement, isTrained, extent: (shape.reduce(1, *) + 15) & ~15)
  }

  /// One matrix for each expert, one after the other; the tensor's name has the expert's index in place of "{}".
  func experts(_ tensor: String, _ count: Int, _ outputs: Int, _ inputs: Int) -> [Parameter] {
    let parts = tensor.split(separator: "{}", omittingEmptySubsequences: false)
    return (0..<count).map { matrix(parts.joined(separator: String($0)), outputs, inputs) }
  }

  /// One matrix for each expert, one after the other, at a place of its own.
  func experts(_ count: Int, _ outputs: Int, _ inputs: Int, at placement: (Int) -> Placement) -> [Parameter] {
    (0..<count).map { matrix(outputs, inputs, at: placement($0)) }
  }

  private func declare(
    _ kind: Parameter.Kind, _ shape: [Int], _ start: Parameter.Start, _ placement: Placement, _ isTrained: Bool,
    extent size: Int
  ) -> Parameter {
    let parameter = Parameter(
      kind: kind, shape: shape, start: start, placement: placement, isTrained: isTrained, offset: extent, extent: size)
    // Beyond this there is nothing to keep: `allocate` will refuse.
    if extent < limit {
      parameters.append(parameter)
      extent += size
    }
    return parameter
  }

  /// The tensors of the checkpoint, in order of declaration.
  package var tensors: [StoredTensor] {
    var order: [Placement] = []
    var parts: [String: [Parameter]] = [:]
    for parameter in parameters {
      let tensor = parameter.placement.tensor
      if parts[tensor] == nil { order.append(parameter.placement) }
      parts[tensor, default: []].append(parameter)
    }
    return order.map { StoredTensor(name: $0.tensor, shape: $0.shape, parameters: parts[$0.tensor] ?? []) }
  }

  /// Bytes of the values, padding included.
  package var bytes: Int { extent * MemoryLayout<Float>.stride }

  /// Floats that the machine has memory for.
  private static let maximumExtent = Int(clamping: ProcessInfo.processInfo.physicalMemory) / MemoryLayout<Float>.stride

  /// Makes the memory for all that was declared, filled with 0.
  func allocate() throws(GRAOError) {
    guard extent <= Self.maximumExtent else {
      let gigabytes = Self.maximumExtent / (1_000_000_000 / MemoryLayout<Float>.stride)
      throw GRAOError("the weights take more than this machine's \(gigabytes) GB of memory")
    }
    values = Buffer(zeros: extent)
  }

  // MARK: Sharing

  /// A store of the same parameters and values. Neither is copied until one of the two changes: a frozen reference
  /// model costs nothing before the policy's first step.
  func shared() -> ParameterStore {
    let copy = ParameterStore(stored: stored)
    (copy.parameters, copy.extent, copy.values) = (parameters, extent, values)
    return copy
  }

  /// Must come before values are written once the store is in use: a store that shares them keeps what it has.
  package func prepareToChange() {
    guard !isKnownUniquelyReferenced(&values) else { return }
    let copy = Buffer(bytes: values.bytes)
    copy.start.copyMemory(from: values.start, byteCount: values.bytes)
    values = copy
  }

  /// The values of another store, of the same declarations.
  func copy(_ other: ParameterStore) {
    prepareToChange()
    all.elements.update(fromContentsOf: other.all.elements)
  }

  /// Whether another store holds the same memory.
  package var sharesValues: Bool { !isKnownUniquelyReferenced(&values) }

  // MARK: Values and gradients

  /// Every value, padding included: [1, extent].
  package var all: Matrix { Matrix(start: values.floats, rows: 1, columns: extent) }

  /// Every gradient, in the layout of ``all``; made, as 0, at first use.
  package var allGradients: Matrix {
    if gradientBuffer == nil { gradientBuffer = Buffer(zeros: extent) }
    return Matrix(start: gradientBuffer?.floats ?? values.floats, rows: 1, columns: extent)
  }

  package func zeroGradients() {
    allGradients.elements.update(repeating: 0)
  }

  /// Frees the weights: the model can't be used after it.
  package func release() {
    values = Buffer(bytes: 0)
    gradientBuffer = nil
    parameters = []
    extent = 0
  }

  /// The part of `buffer` (laid out as ``all``) that belongs to `parameter`.
  package func part(_ parameter: Parameter, of buffer: Matrix) -> Matrix {
    Matrix(start: buffer.start + parameter.offset, rows: 1, columns: parameter.extent)
  }

  func vector(_ parameter: Parameter) -> Matrix { row(parameter, of: all) }
  func vectorGradient(_ parameter: Parameter) -> Matrix { row(parameter, of: allGradients) }
  func weights(_ parameter: Parameter) -> PackedWeights { packed(parameter, of: all) }
  func weightGradient(_ parameter: Parameter) -> PackedWeights { packed(parameter, of: allGradients) }

  /// The experts of one projection as one stack.
  func weights(_ experts: [Parameter]) -> PackedWeights { packed(experts[0], of: all, experts: experts.count) }
  func weightGradient(_ experts: [Parameter]) -> PackedWeights {
    packed(experts[0], of: allGradients, experts: experts.count)
  }

  private func row(_ parameter: Parameter, of buffer: Matrix) -> Matrix {
    Matrix(start: buffer.start + parameter.offset, rows: 1, columns: parameter.count)
  }

  private func packed(_ parameter: Parameter, of buffer: Matrix, experts: Int = 1) -> PackedWeights {
    PackedWeights(
      start: buffer.start + parameter.offset, outputs: parameter.shape[0], inputs: parameter.shape[1],
      experts: experts)
  }

  /// The store without some parameters, as stretches that weight decay acts on and others, in order.
  package func runs(without frozen: [Parameter]) -> [(range: Range<Int>, decays: Bool)] {
    let left = Set(frozen.map(\.offset))
    var runs: [(range: Range<Int>, decays: Bool)] = []
    for parameter in parameters where !left.contains(parameter.offset) {
      let range = parameter.offset..<parameter.offset + parameter.extent
      if let last = runs.last, last.decays == parameter.decays, last.range.upperBound == range.lowerBound {
        runs[runs.count - 1].range = last.range.lowerBound..<range.upperBound
      } else {
        runs.append((range, parameter.decays))
      }
    }
    return runs
  }

  // MARK: Row-major parameters

  /// Sets a parameter from its row-major form; `elements` has ``Parameter/count`` floats.
  package func set(_ parameter: Parameter, from elements: UnsafeBufferPointer<Float>) {
    guard let base = elements.baseAddress, elements.count == parameter.count else { return }
    switch parameter.kind {
    case .matrix: pack(base, into: weights(parameter))
    case .vector: vector(parameter).start.update(from: base, count: parameter.count)
    }
  }

  /// Writes a parameter's row-major form, from the values or from a `buffer` laid out as they are.
  package func get(_ parameter: Parameter, into elements: UnsafeMutableBufferPointer<Float>, of buffer: Matrix? = nil) {
    guard let base = elements.baseAddress, elements.count == parameter.count else { return }
    switch parameter.kind {
    case .matrix: unpack(packed(parameter, of: buffer ?? all), into: base)
    case .vector: base.update(from: row(parameter, of: buffer ?? all).start, count: parameter.count)
    }
  }
}
