import Foundation

/// An estimate of KL(π_θ ‖ π_ref) from one sampled token, by d = log π_θ − log π_ref (J. Schulman, "Approximating KL
/// divergence", 2020).
public enum KLEstimate: String, Sendable, CaseIterable {
  /// d: unbiased; as a loss its gradient has mean 0 on policy.
  case k1
  /// d²/2: always positive, of low variance; its gradient is that of the KL on policy.
  case k2
  /// e^−d − 1 + d: unbiased and always positive.
  case k3

  /// The estimate and its derivative by log π_θ.
  func evaluate(_ difference: Double) -> (value: Double, derivative: Double) {
    switch self {
    case .k1: (difference, 1)
    case .k2: (difference * difference / 2, difference)
    case .k3: (expm1(-difference) + difference, -expm1(-difference))
    }
  }
}
