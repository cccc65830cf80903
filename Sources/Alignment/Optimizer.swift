import Foundation
import Kernels
import Models

/// AdamW (arXiv 1711.05101) with torch's update, after clipping the gradient's norm as torch's clip_grad_norm_ does.
/// Weight decay acts on matrices only: parameters of two dimensions or more.
public struct OptimizerOptions {
  /// α, at each step.
  public var learningRate: Schedule = .constant(1e-6)
  /// β₁ and β₂: decay of the first and second moment.
  public var betas = (0.9, 0.999)
  /// Added to the root of the second moment.
  public var epsilon = 1e-8
  /// The share of a weight, times α, that a step takes off.
  public var weightDecay = 0.01
  /// 0 leaves the gradient as it is.
  public var maxGradNorm = 1.0
  /// What the moments are kept in. bfloat16 halves their memory; they are then rounded stochastically: to nearest, the
  /// second moment would not move, as a step changes it by less than half of the last of its 8 bits.
  public var stateType = ComputeType.float32

  /// With the defaults.
  public init() {}
}

/// The moments of AdamW for a model's parameters, its head's among them, in the layout of the parameters themselves.
final class Optimizer {
  private struct Part {
    let store: ParameterStore
    /// Of what is trained.
    let runs: [(range: Range<Int>, decays: Bool)]
    let moments: (first: Buffer, second: Buffer)
    let stateType: ComputeType

    /// - Parameter frozen: parameters of the store that stay as they are.
    init(_ store: ParameterStore, frozen: [Parameter], _ stateType: ComputeType) {
      self.store = store
      self.stateType = stateType
      runs = store.runs(without: frozen)
      let bytes = store.all.count * (stateType == .float32 ? 4 : 2)
      moments = (Buffer(zeroBytes: bytes), Buffer(zeroBytes: bytes))
    }

    /// One step on a run; false where it leaves a weight that is not a finite number.
    func step(_ run: Range<Int>, _ step: AdamWStep) -> Bool {
      func section(_ start: UnsafeMutablePointer<Float>) -> Matrix {
        Matrix(start: start + run.lowerBound, rows: 1, columns: run.count)
      }
      let (w, g) = (section(store.all.start), section(store.allGradients.start))
      let rounded = store.halves(of: run)
      switch stateType {
      case .float32:
        return adamW(
          w, g: g, m: section(moments.first.floats), v: section(moments.second.floats), rounded: rounded, step: step)
      case .bfloat16:
        return adamW(
          w, g: g, m: moments.first.halves + run.lowerBound, v: moments.second.halves + run.lowerBound,
          rounded: rounded, first: run.lowerBound, step: step)
      }
    }
  }

  private let network: Network
  private let options: OptimizerOptions
  private let parts: [Part]
  private(set) var steps = 0
  /// Whether every weight that steps have written is a finite number.
  private(set) var weightsAreFinite = true

  /// - Parameter frozen: parameters that stay as they are.
  init(_ network: Network, _ options: OptimizerOptions, frozen: [Parameter] = []) {
    self.network = network
    self.options = options
    parts = network.stores.map { Part($0, frozen: $0 === network.parameters ? frozen : [], options.stateType) }
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
      bias_correction2: 1 - pow(beta2, Double(steps)), number: UInt32(truncatingIfNeeded: steps))
    for part in parts {
      part.store.prepareToChange()
      for run in part.runs {
        step.weight_decay = run.decays ? options.weightDecay : 0
        if !part.step(run.range, step) { weightsAreFinite = false }
      }
    }
    network.didTrain(isRounded: network.parameters.halvesFollowMasters)
    return norm
  }
}
