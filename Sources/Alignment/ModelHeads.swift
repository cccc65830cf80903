import Models
import Sampling
import Values

extension Model {
  /// Gives the model the head that a method trains.
  /// - Returns: for ppo, the model apart that says what tokens are worth, where there is one.
  func prepareHeads(_ options: TrainingOptions) throws(GRAOError) -> Critic? {
    if options.method == .reward {
      if !network.isClassifier { try checkUnused("made a reward model") }
      try network.becomeClassifier(seed: options.seed)
      try checkRewardModel()
      return nil
    }
    try checkLanguageModel()
    guard options.method == .ppo else { return nil }
    switch options.ppo.critic {
    case .shared:
      try network.addValueHead()
      return nil
    case .separate: return try Critic(try network.copy(), options.optimizer)
    case .model(let critic):
      try critic.checkTrainable()
      if critic === self { throw GRAOError("grao.train: option 'ppo.critic' is the policy itself: give \"shared\"") }
      if critic.network.isClassifier { try critic.checkRewardModel() }
      guard critic.vocabularySize == vocabularySize else {
        throw GRAOError(
          "grao.train: option 'ppo.critic' has a vocabulary of \(critic.vocabularySize), but the policy's is "
            + "\(vocabularySize): it must read the policy's tokens")
      }
      guard critic.contextLength >= contextLength else {
        throw GRAOError(
          "grao.train: option 'ppo.critic' has a context of \(critic.contextLength) tokens, less than the policy's "
            + "\(contextLength)")
      }
      return try Critic(critic.network, options.optimizer)
    }
  }
}
