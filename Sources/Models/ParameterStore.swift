import Foundation
import Kernels
import Values

/// All parameters of a model, and their gradients.
///
/// Matrices live in packed form alone: the products read it as it is, and whatever works element by element (the
/// optimizer, the norm of the gradient) does not care. Padding is 0 and stays 0.
///
/// A float32 model has one buffer of values. A bfloat16 model keeps what its products read in bfloat16 (`halves`) and
/// the rest in float32; from when training asks for ``all``, it has float32 values of everything, the masters, which
/// the optimizer changes, and ``renew()`` rounds the matrices from them once per step.
package final class ParameterStore {
  package private(set) var parameters: [Parameter] = []
  package let computeType: ComputeType

  /// Where a parameter lies.
  private struct Place {
    /// Floats in the buffer of values, padding included, and the first of them: counted among the parameters that the
    /// products read in bfloat16 where `half` is not nil, else among the others, which come first.
    let extent: Int
    let offset: Int
    /// Its first number among the halves.
    let half: Int?
  }
  private var places: [Place] = []
  /// Floats of the parameters that are always float32; those of the others; their numbers in bfloat16.
  private var (singleExtent, masterExtent, halfExtent) = (0, 0, 0)

  private var values = Buffer(bytes: 0)
  private var hasMasters = false
  private var halves = Buffer(bytes: 0)
  private var gradientBuffer: Buffer?
  /// Of the gradients' memory, what is lent (``lend(_:_:toLayer:)``).
  private var lent = 0..<0
  /// The first parameter of each layer, and of what follows the last.
  private var layerStarts: [Int] = []

  private let stored: Set<String>
  /// Bytes beyond which nothing more is declared: sizes come from files.
  private let limit: Int
  /// Whether one parameter alone has more elements than that.
  private var exceedsLimit = false

  /// - Parameters:
  ///   - stored: names of the tensors of the checkpoint that is to be loaded.
  ///   - allocates: whether ``allocate()`` will follow; without it a store only describes, also what is larger than this
  ///     machine's memory.
  package init(computeType: ComputeType = .float32, stored: Set<String> = [], allocates: Bool = true) {
    self.computeType = computeType
    self.stored = stored
    limit = allocates ? Self.machineBytes : 1 << 52
  }

  // MARK: Declaration

  /// Whether the checkpoint that is to be loaded holds a tensor of this name; an architecture whose experts may be
  /// stored one by one or fused asks. False for a new model.
  func isStored(_ tensor: String) -> Bool { stored.contains(tensor) }

  /// - Parameter isSingle: whether products with it compute in float32 in every model.
  func matrix(
    _ tensor: String, _ outputs: Int, _ inputs: Int, start: Parameter.Start = .normal, isSingle: Bool = false
  ) -> Parameter {
    matrix(outputs, inputs, at: Placement(tensor, [outputs, inputs]), start: start, isSingle: isSingle)
  }

  func matrix(
    _ outputs: Int, _ inputs: Int, at placement: Placement, start: Parameter.Start = .normal, isSingle: Bool = false
  ) -> Parameter {
    declare(
      .matrix, [outputs, inputs], start, placement, true, isSingle: isSingle,
      extent: packedCount(.float32, outputs: outputs, inputs: inputs))
  }

  func vector(_ tensor: String, _ channels: Int, _ start: Parameter.Start) -> Parameter {
    vector([channels], start, at: Placement(tensor, [channels]))
  }

  /// A vector, or one vector for each expert: [experts, channels].
  func vector(
    _ shape: [Int], _ start: Parameter.Start, at placement: Placement, isTrained: Bool = true
  ) -> Parameter {
    declare(
      .vector, shape, start, placement, isTrained, isSingle: true, extent: (shape.reduce(1, *) + 15) & ~15)
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

  /// What is declared from here on, until the next call, is a layer's, or after the last layer what follows it.
  func beginLayer() { layerStarts.append(parameters.count) }

  private func declare(
    _ kind: Parameter.Kind, _ shape: [Int], _ start: Parameter.Start, _ placement: Placement, _ isTrained: Bool,
    isSingle: Bool, extent: Int
  ) -> Parameter {
    let parameter = Parameter(
      kind: kind, shape: shape, start: start, placement: placement, isTrained: isTrained, isSingle: isSingle,
      index: parameters.count)
    var (count, overflows) = (1, false)
    for size in shape where !overflows { (count, overflows) = count.multipliedReportingOverflow(by: size) }
    if overflows || count > limit { exceedsLimit = true }
    // Beyond this there is nothing to keep: `allocate` will refuse.
    guard !exceedsLimit, bytes <= limit else { return parameter }
    parameters.append(parameter)
    if isSingle || computeType == .float32 {
      places.append(Place(extent: extent, offset: singleExtent, half: nil))
      singleExtent += extent
    } else {
      places.append(Place(extent: extent, offset: masterExtent, half: halfExtent))
      masterExtent += extent
      halfExtent += packedCount(computeType, outputs: shape[0], inputs: shape[1])
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

  /// Bytes of the values of a model that is not trained, padding included.
  package var bytes: Int {
    singleExtent * MemoryLayout<Float>.stride + halfExtent * MemoryLayout<UInt16>.stride
  }

  /// Bytes of the values of a model in training, masters and what products read.
  package var trainedBytes: Int { bytes + masterExtent * MemoryLayout<Float>.stride }

  /// Bytes of the gradients.
  package var gradientBytes: Int { extent * MemoryLayout<Float>.stride }

  private var extent: Int { singleExtent + masterExtent }

  /// Of this machine's memory.
  static let machineBytes = Int(clamping: ProcessInfo.processInfo.physicalMemory)

  /// Makes the memory for all that was declared, filled with 0.
  func allocate() throws(GRAOError) {
    guard !exceedsLimit, bytes <= Self.machineBytes else {
      throw GRAOError("the weights take more than this machine's \(Self.machineBytes / 1_000_000_000) GB of memory")
    }
    values = Buffer(zeros: singleExtent)
    halves = Buffer(zeroBytes: halfExtent * MemoryLayout<UInt16>.stride)
  }

  // MARK: Sharing

  /// A store of the same parameters and values. Nothing is copied until one of the two changes: a frozen reference
  /// model costs nothing before the policy's first step.
  func shared() -> ParameterStore {
    let copy = ParameterStore(computeType: computeType, stored: stored)
    (copy.parameters, copy.places) = (parameters, places)
    (copy.singleExtent, copy.masterExtent, copy.halfExtent) = (singleExtent, masterExtent, halfExtent)
    copy.layerStarts = layerStarts
    (copy.values, copy.hasMasters, copy.halves) = (values, hasMasters, halves)
    return copy
  }

  /// How often the values may have changed since the store is in use.
  private(set) var version = 0

  /// Must come before values are written once the store is in use: a store that shares them keeps what it has.
  package func prepareToChange() {
    version += 1
    if !isKnownUniquelyReferenced(&values) { values = Buffer(copying: values) }
    if !isKnownUniquelyReferenced(&halves) { halves = Buffer(copying: halves) }
  }

  /// The values of another store, of the same declarations.
  func copy(_ other: ParameterStore) {
    prepareToChange()
    _ = all.elements.update(fromContentsOf: other.all.elements)
  }

  /// Whether another store holds the same memory.
  package var sharesValues: Bool { !isKnownUniquelyReferenced(&values) || !isKnownUniquelyReferenced(&halves) }

  // MARK: Values and gradients

  /// The float32 values of every parameter, padding included: [1, extent]. A bfloat16 model makes its masters at first
  /// use; after a change to them, ``renew()``.
  package var all: Matrix {
    makeMasters()
    return Matrix(start: values.floats, rows: 1, columns: extent)
  }

  /// Every gradient, in the layout of ``all``; made, as 0, at first use.
  package var allGradients: Matrix {
    let buffer = gradientBuffer ?? Buffer(zeros: extent)
    gradientBuffer = buffer
    return Matrix(start: buffer.floats, rows: 1, columns: extent)
  }

  /// Those whose memory is lent are cleared when it is given back.
  package func zeroGradients() {
    clearGradients(0..<lent.lowerBound)
    clearGradients(lent.upperBound..<extent)
  }

  private func clearGradients(_ range: Range<Int>) {
    clear(Matrix(start: allGradients.start + range.lowerBound, rows: 1, columns: range.count))
  }

  /// Lends a layer, or what follows the last, memory of the gradients of layers before it, until ``takeBack(fromLayer:)``:
  /// the way back writes gradients from the last layer to the first, and no longer needs what it has read of a layer when
  /// it comes to those before. Nil where not so much is left; what is last is asked for first.
  func lend(_ rows: Int, _ columns: Int, toLayer layer: Int) -> Matrix? {
    guard layer < layerStarts.count else { return nil }
    let start = gradientStart(ofLayer: layer)
    let end = lent.isEmpty ? start : min(start, lent.lowerBound)
    let begin = end - ((rows * columns + 15) & ~15)
    guard begin >= gradientStart(ofLayer: 0) else { return nil }
    lent = begin..<(lent.isEmpty ? end : lent.upperBound)
    return Matrix(start: allGradients.start + begin, rows: rows, columns: columns)
  }

  /// The gradients from a layer on are to be written: they are 0 now, if they were lent.
  func takeBack(fromLayer layer: Int) {
    guard !lent.isEmpty else { return }
    let kept = min(max(gradientStart(ofLayer: layer), lent.lowerBound), lent.upperBound)
    clearGradients(kept..<lent.upperBound)
    lent = lent.lowerBound..<kept
  }

  /// The first float of the gradients of a layer's matrices. What is always float32 lies elsewhere in a bfloat16 model.
  private func gradientStart(ofLayer layer: Int) -> Int {
    parameters[layerStarts[layer]...].first { computeType == .float32 || places[$0.index].half != nil }.map(offset)
      ?? extent
  }

  private func makeMasters() {
    guard !hasMasters else { return }
    hasMasters = true
    guard masterExtent > 0 else { return }
    let singles = values
    values = Buffer(zeros: extent)
    values.floats.update(from: singles.floats, count: singleExtent)
    forEachHalf { half, master, parameter in
      widen(half, into: master, outputs: parameter.shape[0], inputs: parameter.shape[1])
    }
  }

  /// What products read, from the values that training has changed.
  package func renew() {
    guard hasMasters else { return }
    forEachHalf { half, master, parameter in
      narrow(master, into: half, outputs: parameter.shape[0], inputs: parameter.shape[1])
    }
  }

  /// Whether what products read lies as the masters do, pairs of rows of a panel for pairs of rows: no matrix has an odd number
  /// of inputs, which would be padded.
  package var halvesFollowMasters: Bool { halfExtent == masterExtent }

  /// What products read of the masters in a range of ``all``, whole matrices or pairs of a panel's rows; nil where there is
  /// nothing, or it lies otherwise.
  package func halves(of range: Range<Int>) -> UnsafeMutablePointer<UInt16>? {
    guard halvesFollowMasters, range.lowerBound >= singleExtent, masterExtent > 0 else { return nil }
    return halves.halves + (range.lowerBound - singleExtent)
  }

  private func forEachHalf(
    _ body: (_ half: UnsafeMutablePointer<UInt16>, _ master: UnsafeMutablePointer<Float>, Parameter) -> Void
  ) {
    for parameter in parameters {
      guard let half = places[parameter.index].half else { continue }
      body(halves.halves + half, values.floats + offset(parameter), parameter)
    }
  }

  /// Frees the weights: the model can't be used after it.
  package func release() {
    values = Buffer(bytes: 0)
    halves = Buffer(bytes: 0)
    gradientBuffer = nil
    parameters = []
    places = []
    (lent, layerStarts) = (0..<0, [])
    (singleExtent, masterExtent, halfExtent, hasMasters) = (0, 0, 0, false)
  }

  /// The part of `buffer` (laid out as ``all``) that belongs to `parameter`.
  package func part(_ parameter: Parameter, of buffer: Matrix) -> Matrix {
    Matrix(start: buffer.start + offset(parameter), rows: 1, columns: places[parameter.index].extent)
  }

  func vector(_ parameter: Parameter) -> Matrix { row(parameter, of: values.floats) }
  func vectorGradient(_ parameter: Parameter) -> Matrix { row(parameter, of: allGradients.start) }
  func weights(_ parameter: Parameter) -> PackedWeights { packed(parameter, experts: 1) }
  func weightGradient(_ parameter: Parameter) -> PackedGradient { packedGradient(parameter, experts: 1) }

  /// The experts of one projection as one stack.
  func weights(_ experts: [Parameter]) -> PackedWeights { packed(experts[0], experts: experts.count) }
  func weightGradient(_ experts: [Parameter]) -> PackedGradient {
    packedGradient(experts[0], experts: experts.count)
  }

  /// First float in ``all``.
  private func offset(_ parameter: Parameter) -> Int {
    let place = places[parameter.index]
    return place.offset + (place.half == nil ? 0 : singleExtent)
  }

  private func row(_ parameter: Parameter, of buffer: UnsafeMutablePointer<Float>) -> Matrix {
    Matrix(start: buffer + offset(parameter), rows: 1, columns: parameter.count)
  }

  /// As the products read it.
  private func packed(_ parameter: Parameter, experts: Int) -> PackedWeights {
    guard let half = places[parameter.index].half else { return single(parameter, of: values.floats, experts: experts) }
    return PackedWeights(
      .bfloat16(halves.halves + half), outputs: parameter.shape[0], inputs: parameter.shape[1], experts: experts)
  }

  private func single(
    _ parameter: Parameter, of buffer: UnsafeMutablePointer<Float>, experts: Int = 1
  ) -> PackedWeights {
    PackedWeights(
      .float32(buffer + offset(parameter)), outputs: parameter.shape[0], inputs: parameter.shape[1], experts: experts)
  }

  private func packedGradient(_ parameter: Parameter, experts: Int) -> PackedGradient {
    PackedGradient(
      start: allGradients.start + offset(parameter),
      computeType: places[parameter.index].half == nil ? .float32 : computeType, outputs: parameter.shape[0],
      inputs: parameter.shape[1], experts: experts)
  }

  /// The store without some parameters, as stretches that weight decay acts on and others, in order; no stretch holds both
  /// parameters that are always float32 and others.
  package func runs(without frozen: [Parameter]) -> [(range: Range<Int>, decays: Bool)] {
    let left = Set(frozen.map(\.index))
    var runs: [(range: Range<Int>, decays: Bool)] = []
    // Those that are always float32 lie first.
    for parameter in parameters.sorted(by: { (offset($0), $0.index) < (offset($1), $1.index) })
    where !left.contains(parameter.index) {
      let range = offset(parameter)..<offset(parameter) + places[parameter.index].extent
      if let last = runs.last, last.decays == parameter.decays, last.range.upperBound == range.lowerBound,
        range.lowerBound != singleExtent
      {
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
    guard elements.count == parameter.count else { return }
    set(parameter, rowsFrom: 0, elements)
  }

  /// Sets some rows of a parameter, from `first` on, which begins a panel.
  func set(_ parameter: Parameter, rowsFrom first: Int, _ elements: UnsafeBufferPointer<Float>) {
    guard let base = elements.baseAddress, parameter.columns > 0 else { return }
    let rows = elements.count / parameter.columns
    switch parameter.kind {
    case .vector: (vector(parameter).start + first * parameter.columns).update(from: base, count: elements.count)
    case .matrix:
      pack(base, rows: rows, into: weights(parameter), from: first)
      if hasMasters, places[parameter.index].half != nil {
        pack(base, rows: rows, into: single(parameter, of: values.floats), from: first)
      }
    }
  }

  /// Writes a parameter's row-major form, from its most exact values or from a `buffer` laid out as ``all``.
  package func get(_ parameter: Parameter, into elements: UnsafeMutableBufferPointer<Float>, of buffer: Matrix? = nil) {
    guard let base = elements.baseAddress, elements.count == parameter.count else { return }
    let exact = buffer?.start ?? (hasMasters || places[parameter.index].half == nil ? values.floats : nil)
    switch parameter.kind {
    case .matrix: unpack(exact.map { single(parameter, of: $0) } ?? weights(parameter), into: base)
    case .vector: base.update(from: row(parameter, of: exact ?? values.floats).start, count: parameter.count)
    }
  }
}
