/// An architecture's own load-balancing loss: over which tokens the share f of the choices that an expert gets and its
/// mean probability P are taken. E experts, K chosen for each token; f is a constant to the gradient.
package enum LoadBalancing {
  /// E Σ_e f_e P_e with f = choices / tokens, over the tokens of all layers at once: `load_balancing_loss_func` of
  /// transformers (arXiv 2101.03961, eq. 4 to 6). K at balance.
  case acrossLayers
  /// E / K Σ_e f_e P_e over all tokens, a layer's loss added to the others': DeepSeek-V2's published code where `seq_aux` is
  /// false. 1 for each layer at balance.
  case perLayer
  /// The same over the tokens of each sequence, the mean over sequences: DeepSeek-V2's published code (arXiv 2405.04434,
  /// eq. 23 to 25).
  case perSequence
  /// The same, with choices by the scores alone, whatever the correction bias and the groups say, and with probabilities
  /// that are the sigmoid scores divided by their sum: DeepSeek-V3's complementary loss (arXiv 2412.19437, eq. 17 to 20).
  case perSequenceByScore

  /// Whether its gradient needs the choices of all tokens of an optimizer step.
  var isOverTokens: Bool {
    switch self {
    case .acrossLayers, .perLayer: true
    case .perSequence, .perSequenceByScore: false
    }
  }
}
