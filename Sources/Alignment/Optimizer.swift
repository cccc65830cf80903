import Foundation
import Kernels
import Models

/// AdamW (arXiv 1711.05101) with torch's update, after clipping the gradient's norm as torch's clip_grad_norm_ does.
/// Weight decay acts on matrices only: parameters of two dimensions or more.
public struct OptimizerOptions {
  public var learningRate: Schedule = .constant(1e-6)
  public var betas = (0.9, 0.999)
  public var epsilon = 1e-8
  public var weightDecay = 0.01
  /// 0 leaves the gradient as it is.
  public var maxGradNorm = 1.0

  public init() {}
}

/// The moments of AdamW for a model's parameters, its head's among them, in the layout of the parameters themselves.
final class Optimizer {
  private struct Part {
    let store: ParameterStore
    /// Of what is trained.
    let runs: [(range: Range<Int>, decays: Bool)]
    let moments: (first: Buffer, second: Buffer)

    /// - Parameter frozen: parameters of the store that stay as they are.
    init(_ store: ParameterStore, frozen: [Parameter]) {
      self.store = store
      runs = store.runs(without: frozen)
      let count = store.all.count
      moments = (Buffer(zeros: count), Buffer(zeros: count))
    }
  }

  private let network: Network
  private let options: OptimizerOptions
  private let parts: [Part]
  private(set) var steps = 0

  /// - Parameter frozen: parameters that stay as they are.
  init(_ network: Network, _ options: OptimizerOptions, frozen: [Parameter] = []) {
    self.network = network
    self.options = options
    parts = network.stores.map { Part($0, frozen: $0 === network.parameters ? frozen : []) }
  }

  /// One update from the gradients that the network holds. Returns their norm before clipping; where it is not finite
  /// nothing is changed.
  func step(learningRate: Double) -> Double {
    let norm = parts.reduce(0) { $0 + sumOfSquares($1.store.allGradients) }.squareRoot()
    guard norm.isFinite else { return norm }
    steps += 1
    var scale = 1.0
    if options.maxGradNorm > 0 { scale = min(1, options.maxGradNorm / (norm + 1e-6)) }
    let (beta1, beta2) = options.betas
    var step = AdamWStep(
      learning_rate: learningRate, beta1: beta1, beta2: beta2, epsilon: options.epsilon, weight_decay: 0,
      gradient_scale: scale, bias_correction1: 1 - pow(beta1, Double(steps)),
      bias_correction2: 1 - pow(beta2, Double(steps)))
    for part in parts {
      part.store.prepareToChange()
      for run in part.runs {
        step.weight_decay = run.decays ? options.weightDecay : 0
        adamW(
          section(run.range, of: part.store.all), g: section(run.range, of: part.store.allGradients),
          m: section(run.range, part.moments.first), v: section(run.range, part.moments.second), step: step)
      }
    }
    network.didTrain()
    return norm
  }

  /// Whether every weight is a finite number, far from overflow.
  var weightsAreFinite: Bool { parts.allSatisfy { sumOfSquares($0.store.all).isFinite } }

  private func section(_ range: Range<Int>, of matrix: Matrix) -> Matrix {
    Matrix(start: matrix.start + range.lowerBound, rows: 1, columns: range.count)
  }

  private func section(_ range: Range<Int>, _ buffer: Buffer) -> Matrix {
    Matrix(start: buffer.floats + range.lowerBound, rows: 1, columns: range.count)
  }
}
