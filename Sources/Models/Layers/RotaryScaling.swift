import Foundation
import Values

/// How positions become angles: the inverse frequency of each pair of channels, and what cos and sin are multiplied by.
/// In float32, in the order of operations of transformers.
struct RotaryFrequencies {
  let inverse: [Float]
  let attentionFactor: Float

  /// - Parameters:
  ///   - size: channels that are rotated.
  ///   - base: rope_theta.
  init(size: Int, base: Double, scaling: RotaryScaling = .none) {
    let powers = (0..<size / 2).map { powf(Float(base), Float(2 * $0) / Float(size)) }
    switch scaling {
    case .none:
      inverse = powers.map { 1 / $0 }
      attentionFactor = 1
    case .linear(let factor):
      inverse = powers.map { 1 / $0 / Float(factor) }
      attentionFactor = 1
    case .llama3(let scaling):
      inverse = powers.map { scaling.scaled(1 / $0) }
      attentionFactor = 1
    case .yarn(let scaling):
      inverse = scaling.scaled(powers, base: base)
      attentionFactor = Float(scaling.attentionFactor)
    case .longRoPE(let scaling):
      inverse = zip(powers, scaling.factors).map { 1 / (Float($1) * $0) }
      attentionFactor = Float(scaling.attentionFactor)
    }
  }
}

/// The scalings of rotary positions beyond the context that a model was first trained for.
enum RotaryScaling {
  case none
  /// Positions divided by a factor (arXiv 2306.15595).
  case linear(Double)
  case llama3(Llama3RotaryScaling)
  case yarn(YaRN)
  case longRoPE(LongRoPE)
}

/// LongRoPE (arXiv 2402.13753): each pair of channels has a factor of its own.
///
/// There are two sets of factors, and transformers takes the long ones for all tokens of a sequence once it is longer
/// than the original context: what a token's keys are would then depend on how long its sequence will become, and the
/// sampler could not agree with the trainer. So the short ones hold, and the original context is the model's context.
struct LongRoPE {
  /// One for each pair of channels.
  let factors: [Double]
  let originalContext: Int
  let attentionFactor: Double

  /// The factor on cos and sin for a scale of the context.
  static func attentionFactor(_ scale: Double, originalContext: Int) -> Double {
    scale <= 1 ? 1 : (1 + log(scale) / log(Double(originalContext))).squareRoot()
  }
}

/// Llama 3.1's: long wavelengths are divided by a factor, short ones stay, those between are blended.
struct Llama3RotaryScaling {
  let factor, lowFrequencyFactor, highFrequencyFactor, originalContext: Double

  func scaled(_ inverse: Float) -> Float {
    let wavelength = 2 * Float.pi / inverse
    let (low, high) = (Float(lowFrequencyFactor), Float(highFrequencyFactor))
    let original = Float(originalContext)
    if wavelength < original / high { return inverse }
    if wavelength > original / low { return inverse / Float(factor) }
    let smooth = (original / wavelength - low) / (high - low)
    return (1 - smooth) * inverse / Float(factor) + smooth * inverse
  }
}

/// YaRN (arXiv 2309.00071): as Llama 3's, with the blend over channels, and a factor on the attention's scores.
struct YaRN {
  let factor, originalContext, fast, slow, attentionFactor: Double
  /// Whether the blend's ends are whole channels.
  let truncates: Bool

  /// The factor on cos and sin for a scale of the context.
  static func magnitude(_ scale: Double, _ multiplier: Double = 1) -> Double {
    scale <= 1 ? 1 : 0.1 * multiplier * log(scale) + 1
  }

  /// - Parameter powers: base^(2i / size).
  func scaled(_ powers: [Float], base: Double) -> [Float] {
    let size = 2 * powers.count
    func channel(_ rotations: Double) -> Double {
      Double(size) * log(originalContext / (rotations * 2 * .pi)) / (2 * log(base))
    }
    var (low, high) = (channel(fast), channel(slow))
    if truncates { (low, high) = (low.rounded(.down), high.rounded(.up)) }
    (low, high) = (max(low, 0), min(high, Double(size - 1)))
    if low == high { high += 0.001 }
    return powers.enumerated().map { index, power in
      let ramp = min(max((Float(index) - Float(low)) / Float(high - low), 0), 1)
      return 1 / (Float(factor) * power) * ramp + 1 / power * (1 - ramp)
    }
  }
}
