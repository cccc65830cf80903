import Models

/// The frozen policy that kl and dpo measure against: the policy as it was when this was made, sharing its weights until
/// they change.
final class ReferenceModel {
  private var network: Network

  init(freezing policy: Network) { network = policy.frozen() }

  /// log π_ref of every branch of some trees, in passes of at most `microBatchTokens` rows: [tree][branch][token].
  func logProbabilities(
    _ trees: [SequenceTree], temperature: Float, microBatchTokens: Int, checkInterrupt: () throws -> Void
  ) throws -> [[[Float]]] {
    try network.logProbabilities(
      trees, temperature: temperature, microBatchTokens: microBatchTokens, checkInterrupt: checkInterrupt)
  }

  /// π_ref ← α π_θ + (1 − α) π_ref, weight by weight.
  func move(towards policy: Network, by alpha: Double) {
    guard alpha < 1 else {
      network = policy.frozen()
      return
    }
    network.parameters.prepareToChange()
    let (mine, theirs) = (network.parameters.all, policy.parameters.all)
    let share = Float(alpha)
    for i in 0..<mine.count { mine.start[i] = share * theirs.start[i] + (1 - share) * mine.start[i] }
    network.parameters.renew()
  }
}
