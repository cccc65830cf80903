import Foundation
import Kernels
import Values

/// One tensor of a model, by the name that transformers gives it, and where it lies in the ``ParameterStore``.
package struct Parameter {
  /// How a new model fills it.
  package enum Start {
    case normal
    case ones
    case zeros
  }

  package let name: String
  /// As in the checkpoint: [outputs, inputs] or [channels].
  package let shape: [Int]
  package let start: Start
  /// First float in the store; matrices lie there in packed form, vectors as they are.
  let offset: Int
  /// Floats in the store, padding included.
  let extent: Int

  package var isMatrix: Bool { shape.count == 2 }
  package var count: Int { shape.reduce(1, *) }
}

/// All parameters of a model in one buffer, and the gradients in a second one of the same layout.
///
/// Matrices live in packed form alone: the products read it as it is, and whatever works element by element (the
/// optimizer, the norm of the gradient) does not care. Padding is 0 and stays 0.
package final class ParameterStore {
  package private(set) var parameters: [Parameter] = []
  private var extent = 0
  private var values = Buffer(bytes: 0)
  private var gradientBuffer: Buffer?

  package init() {}

  // MARK: Declaration

  func matrix(_ name: String, _ outputs: Int, _ inputs: Int) -> Parameter {
    declare(name, [outputs, inputs], .normal, extent: packedCount(outputs: outputs, inputs: inputs))
  }

  func vector(_ name: String, _ channels: Int, _ start: Parameter.Start) -> Parameter {
    declare(name, [channels], start, extent: (channels + 15) & ~15)
  }

  /// One matrix for each expert, one after the other; `name` has the expert's index in place of "{}".
  func experts(_ name: String, _ count: Int, _ outputs: Int, _ inputs: Int) -> [Parameter] {
    let parts = name.split(separator: "{}", omittingEmptySubsequences: false)
    return (0..<count).map { matrix(parts.joined(separator: String($0)), outputs, inputs) }
  }

  private func declare(_ name: String, _ shape: [Int], _ start: Parameter.Start, extent size: Int) -> Parameter {
    let parameter = Parameter(name: name, shape: shape, start: start, offset: extent, extent: size)
    // Beyond this there is nothing to keep: `allocate` will refuse.
    if extent < Self.maximumExtent {
      parameters.append(parameter)
      extent += size
    }
    return parameter
  }

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

  /// The store as stretches of matrices and of vectors, in order.
  package var runs: [(range: Range<Int>, isMatrix: Bool)] {
    var runs: [(range: Range<Int>, isMatrix: Bool)] = []
    for parameter in parameters {
      let range = parameter.offset..<parameter.offset + parameter.extent
      if let last = runs.last, last.isMatrix == parameter.isMatrix {
        runs[runs.count - 1].range = last.range.lowerBound..<range.upperBound
      } else {
        runs.append((range, parameter.isMatrix))
      }
    }
    return runs
  }

  // MARK: Row-major tensors, as files hold them

  /// Sets a parameter from its row-major form; `tensor` has ``Parameter/count`` floats.
  package func set(_ parameter: Parameter, from tensor: UnsafeBufferPointer<Float>) {
    guard let base = tensor.baseAddress, tensor.count == parameter.count else { return }
    if parameter.isMatrix {
      pack(base, into: weights(parameter))
    } else {
      vector(parameter).start.update(from: base, count: parameter.count)
    }
  }

  /// Writes a parameter's row-major form, from the values or from a `buffer` laid out as they are.
  package func get(_ parameter: Parameter, into tensor: UnsafeMutableBufferPointer<Float>, of buffer: Matrix? = nil) {
    guard let base = tensor.baseAddress, tensor.count == parameter.count else { return }
    if parameter.isMatrix {
      unpack(packed(parameter, of: buffer ?? all), into: base)
    } else {
      base.update(from: row(parameter, of: buffer ?? all).start, count: parameter.count)
    }
  }
}
