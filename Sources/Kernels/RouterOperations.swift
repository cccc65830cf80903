import CKernels

/// What a router did with the rows of S segments, E experts.
package struct RouterSums {
  /// [S, E]: rows that chose each expert.
  package var chosen: [Int32]
  /// [S, E]: the sum of each expert's probabilities.
  package var probability: [Double]
  /// [S]: the sum of lse².
  package var squares: [Double]
}

/// Sums over the rows of each segment, offsets[s] ..< offsets[s + 1].
///
/// - Parameter lse: [T, 1], the log of the sum of the logits' exponentials.
package func routerSums(
  _ routing: Routing, lse: Matrix, _ rule: RoutingRule, offsets: [Int32]
) -> RouterSums {
  let (segments, experts) = (offsets.count - 1, routing.scores.columns)
  var rule = rule.routing(experts: experts)
  var sums = RouterSums(
    chosen: Array(repeating: 0, count: segments * experts),
    probability: Array(repeating: 0, count: segments * experts), squares: Array(repeating: 0, count: segments))
  gk_router_sums(
    &rule, routing.scores.start, lse.start, routing.experts.start, offsets, &sums.chosen, &sums.probability,
    &sums.squares, segments)
  return sums
}

/// dlogits[T, E] += the gradient of Σ_t Σ_e balance[s, e] · p[t, e] + Σ_t z[s] · lse[t]² for the segment s of row t;
/// balance[S · E], z[S].
package func routerLossGradient(
  _ logits: Matrix, _ routing: Routing, lse: Matrix, _ rule: RoutingRule, segment: [Int32], balance: [Float],
  z: [Float], addingTo dlogits: Matrix
) {
  var rule = rule.routing(experts: dlogits.columns)
  gk_router_loss_gradient(
    &rule, logits.start, routing.scores.start, lse.start, segment, balance, z, dlogits.start, dlogits.rows)
}
