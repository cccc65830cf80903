import Models
import Sampling
import Values

/// Groups as the model and the objective see them: a tree of sequences, and what is known of each.
struct GroupReader {
  let model: Model
  let options: TrainingOptions

  /// A group's sequences of the roles that the objective reads; samples without a reward are left out.
  /// - Parameter place: which group it is, from 1, for messages.
  func query(_ group: Group, place: Int, roles: Set<SequenceTokens.Role>) throws(GRAOError) -> UpdatePass.Query {
    do throws(GRAOError) {
      return try query(group, roles)
    } catch {
      throw GRAOError("group \(place): \(error.message)")
    }
  }

  private func query(_ group: Group, _ roles: Set<SequenceTokens.Role>) throws(GRAOError) -> UpdatePass.Query {
    var branches: [[Int32]] = []
    var sequences: [SequenceTokens] = []
    if roles.contains(.sample) {
      for sample in group.samples where sample.reward != nil {
        try check(sample)
        branches.append(sample.ids)
        sequences.append(try sequence(sample))
      }
    }
    if options.method.needsReference, group.reference == nil {
      throw GRAOError("method '\(options.method)' needs a reference, which the group lacks")
    }
    if roles.contains(.reference), let reference = group.reference {
      try check(EncodedResponse(ids: reference, mask: group.referenceMask), "reference", maskName: "reference_mask")
      if let reward = group.referenceReward, !reward.isFinite {
        throw GRAOError("the reference's reward is \(reward)")
      }
      branches.append(reference)
      var sequence = SequenceTokens(
        role: .reference, logp: [], mask: group.referenceMask, reward: group.referenceReward)
      if sequence.reward != nil { sequence.rewards = try rewards(group.referenceRewards, "the reference") }
      sequences.append(sequence)
    }
    for (role, name, response) in [
      (SequenceTokens.Role.chosen, "chosen", group.chosen), (.rejected, "rejected", group.rejected),
    ] where roles.contains(role) {
      guard let response else { continue }
      try check(response, name, maskName: name + "_mask")
      branches.append(response.ids)
      sequences.append(SequenceTokens(role: role, logp: [], mask: response.mask))
    }
    if options.method.needsPreference { try checkPreference(group) }
    let prompt = try model.encode(Prompt.ids(group.prompt))
    for branch in branches { _ = try model.encode(.ids(branch), after: .ids(prompt)) }
    let tree = SequenceTree(prompt: prompt, branches: branches)
    try model.checkContext(tree)
    return UpdatePass.Query(tree: tree, group: ObjectiveGroup(sequences: sequences, margin: group.margin ?? 0))
  }

  private func sequence(_ sample: Group.Sample) throws(GRAOError) -> SequenceTokens {
    let isCut = options.masksTruncated && sample.finishReason == .length
    var sequence = SequenceTokens(
      role: .sample, logp: [], behaviour: sample.logprobs.map { $0.map(Double.init) },
      mask: isCut ? sample.ids.map { _ in false } : sample.mask, reward: sample.reward)
    sequence.rewards = try rewards(sample.rewards, "a sample")
    return sequence
  }

  /// Each reward's own value in the run's order, where advantages are made of them.
  private func rewards(
    _ given: [(name: String, value: Double)], _ what: String
  ) throws(GRAOError) -> [Double?] {
    guard options.rewardAggregation == .normalizeThenSum else { return [] }
    if let other = given.first(where: { value in !options.rewards.contains { $0.name == value.name } }) {
      throw GRAOError("\(what) has a value of the reward '\(other.name)', which the run does not have")
    }
    guard !given.isEmpty else {
      throw GRAOError(
        "\(what) has no values in 'rewards', which option 'reward_aggregation' = \"normalize_then_sum\" needs")
    }
    return options.rewards.map { reward in given.first { $0.name == reward.name }?.value }
  }

  private func check(_ sample: Group.Sample) throws(GRAOError) {
    if sample.ids.isEmpty { throw GRAOError("a sample is empty: it must have at least one token") }
    if let reward = sample.reward, !reward.isFinite { throw GRAOError("a sample's reward is \(reward)") }
    if let bad = sample.logprobs?.first(where: { !$0.isFinite }) {
      throw GRAOError("a sample has the log-probability \(bad)")
    }
    for (name, count) in [("logprobs", sample.logprobs?.count), ("mask", sample.mask?.count)] {
      if let count, count != sample.ids.count {
        throw GRAOError("a sample has \(sample.ids.count) ids but \(count) \(name)")
      }
    }
  }

  private func check(_ response: EncodedResponse, _ name: String, maskName: String) throws(GRAOError) {
    if response.ids.isEmpty { throw GRAOError("the \(name) is empty: it must have at least one token") }
    if let mask = response.mask, mask.count != response.ids.count {
      throw GRAOError("the \(name) has \(response.ids.count) ids but \(mask.count) \(maskName)")
    }
  }

  /// What a preference loss needs of a group.
  private func checkPreference(_ group: Group) throws(GRAOError) {
    switch options.preference {
    case .pairs where group.chosen == nil || group.rejected == nil:
      let lacks = group.chosen == nil ? "chosen" : "rejected"
      throw GRAOError("method '\(options.method)' needs a pair of responses, but the group has no '\(lacks)'")
    case .responses where group.chosen == nil && group.rejected == nil:
      throw GRAOError("method 'dpo' with loss 'kto' needs 'chosen' or 'rejected', and the group has neither")
    default: break
    }
  }
}
