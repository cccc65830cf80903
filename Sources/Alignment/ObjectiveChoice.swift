import Values

extension TrainingOptions {
  /// The method's objective with its schedules' values at a step.
  /// - Parameter referencePoint: z_0, for KTO.
  func objective(at state: ScheduleState, referencePoint: Double) throws -> any Objective {
    switch method {
    case .sft: return SFTObjective(normalization: normalization)
    case .dpo:
      switch preference {
      case .pairs(let pairs): return DPOObjective(pairs)
      case .responses(let responses): return KTOObjective(responses, referencePoint: referencePoint)
      }
    case .grpo:
      return GRPOObjective(
        ratio: ratio ?? RatioOptions(), normalization: normalization, longest: sampling.maxNewTokens,
        klCoefficient: try kl.coefficient.value(at: state, option: "kl.coefficient"), klEstimate: kl.estimate)
    case .ppo:
      return PPOObjective(
        ratio: ratio ?? RatioOptions(), valueClip: ppo.valueClip, valueCoefficient: ppo.valueCoefficient,
        normalization: normalization, longest: sampling.maxNewTokens)
    case .reward: return BradleyTerryObjective(centering: rewardModel.centering)
    case .grao: return GRAOObjective(weights: try componentWeights(at: state), ratio: ratio)
    case .custom: return try customObjective()
    }
  }

  func customObjective() throws(GRAOError) -> CustomObjective {
    guard let objectiveFunction else { throw GRAOError("method custom needs an objective function") }
    return CustomObjective(function: objectiveFunction, needsSamples: samples)
  }

  func componentWeights(at state: ScheduleState) throws -> GRAOWeights {
    GRAOWeights(
      exploration: try weights.exploration.value(at: state, option: "weights.exploration"),
      imitation: try weights.imitation.value(at: state, option: "weights.imitation"),
      regularizer: try weights.regularizer.value(at: state, option: "weights.regularizer"))
  }

  /// The sequences of a group that the method reads.
  var roles: Set<SequenceTokens.Role> {
    switch method {
    case .sft: [.reference]
    case .dpo, .reward: [.chosen, .rejected]
    case .grpo, .ppo: [.sample]
    case .grao: [.sample, .reference]
    case .custom: [.sample, .reference, .chosen, .rejected]
    }
  }
}
