import GRAO
import Values

/// Trainers as scripts drive them.
enum TrainerBinding {
  static func trainer(_ engine: ScriptEngine) -> LuaClass<Trainer> {
    LuaClass<Trainer>("grao.trainer")
      .method("rollout") { trainer, call in
        let rows = try call[1].elements("argument 1 of \(call.name)", "an array of dataset rows") { $0.table }
        let groups = try trainer.rollout(rows)
        return [.array(zip(groups, rows).map { GroupConversion.value($0, row: $1) })]
      }
      .method("step") { trainer, call in
        let groups = try call.array(1).enumerated().map { index, value in
          try GroupConversion.group(value, "group \(index + 1)", trainer)
        }
        return [.table(try trainer.step(groups))]
      }
      .method("run") { trainer, _ in [.table(try engine.run(trainer))] }
      .field("steps_made") { .integer($0.state.step) }
  }
}

/// Groups as the tables that scripts make and change: `prompt`, `samples`, `reference`, `reference_reward`, `chosen`,
/// `rejected`.
enum GroupConversion {
  static func value(_ group: Group, row: Table) -> Value {
    var table = Table()
    table["prompt"] = Convert.value(group.prompt)
    table["reference"] = group.reference.map { Convert.value($0) }
    table["reference_mask"] = group.referenceMask.map(Convert.mask)
    table["reference_reward"] = group.referenceReward.map { .number($0) }
    if !group.referenceRewards.isEmpty { table["reference_rewards"] = value(group.referenceRewards) }
    for (name, response) in [("chosen", group.chosen), ("rejected", group.rejected)] {
      table[name] = response.map { Convert.value($0.ids) }
      table[name + "_mask"] = response?.mask.map(Convert.mask)
    }
    table["margin"] = group.margin.map { .number($0) }
    table["row"] = .table(row)
    table["samples"] = .array(group.samples.map(value))
    return .table(table)
  }

  private static func value(_ sample: Group.Sample) -> Value {
    var table = Table()
    table["ids"] = Convert.value(sample.ids)
    table["text"] = sample.text.map(Value.string)
    table["reward"] = sample.reward.map { .number($0) }
    table["rewards"] = value(sample.rewards)
    if !sample.numbers.isEmpty { table["numbers"] = value(sample.numbers) }
    table["logprobs"] = sample.logprobs.map { Convert.value($0) }
    table["finish_reason"] = sample.finishReason.map { .string($0.rawValue) }
    return .table(table)
  }

  private static func value(_ numbers: [(name: String, value: Double)]) -> Value {
    .table(Table(numbers.map { ($0.name, .number($0.value)) }))
  }

  private static func numbers(_ reader: OptionReader, _ name: String) throws(GRAOError) -> [(
    name: String, value: Double
  )] {
    var numbers: [(name: String, value: Double)] = []
    guard reader.has(name) else { return [] }
    for (key, value) in try reader.nested(name).table {
      guard let number = value.number else { throw reader.failure(name, "must hold numbers by name") }
      numbers.append((key, number))
    }
    return numbers
  }

  /// - Parameter what: which group it is, for messages.
  static func group(_ value: Value, _ what: String, _ trainer: Trainer) throws(GRAOError) -> Group {
    guard let given = value.table else { throw GRAOError("\(what) must be a table, not \(value.kind)") }
    let reader = try groupSchema(what).read(given)
    let model = trainer.model
    let prompt = try Prompt(reader.optional("prompt") ?? .null, "\(what): prompt")
    var group = Group(prompt: try Convert.naming(what) { () throws(GRAOError) in try model.encode(prompt) })
    let reference = try response("reference", reader, what, model, after: prompt)
    (group.reference, group.referenceMask) = (reference?.ids, reference?.mask)
    group.chosen = try response("chosen", reader, what, model, after: prompt)
    group.rejected = try response("rejected", reader, what, model, after: prompt)
    group.referenceReward = try reader.optionalNumber("reference_reward")
    group.margin = try reader.optionalNumber("margin")
    group.referenceRewards = try numbers(reader, "reference_rewards")
    for (index, value) in try reader.array("samples").enumerated() {
      group.samples.append(try sample(value, "\(what): sample \(index + 1)", model, after: prompt))
    }
    return group
  }

  /// A response of the group, with the mask that `<name>_mask` gives it.
  private static func response(
    _ name: String, _ reader: OptionReader, _ what: String, _ model: Model, after prompt: Prompt
  ) throws(GRAOError) -> EncodedResponse? {
    guard let value = reader.optional(name) else { return nil }
    let response = try Response(value, "\(what): \(name)")
    var encoded = try Convert.naming("\(what): \(name)") { () throws(GRAOError) in
      try model.encode(response, after: prompt)
    }
    if reader.has(name + "_mask") { encoded.mask = try mask(reader, name + "_mask") }
    return encoded
  }

  private static func mask(_ reader: OptionReader, _ name: String) throws(GRAOError) -> [Bool] {
    let numbers = try reader.numbers(name)
    if let other = numbers.first(where: { $0 != 0 && $0 != 1 }) {
      throw reader.failure(name, "must hold 0 for tokens that are not trained on, else 1, not \(other)")
    }
    return numbers.map { $0 == 1 }
  }

  private static func sample(
    _ value: Value, _ what: String, _ model: Model, after prompt: Prompt
  ) throws(GRAOError) -> Group.Sample {
    guard let given = value.table else { throw GRAOError("\(what) must be a table, not \(value.kind)") }
    let reader = try sampleSchema(what).read(given)
    guard let content = reader.optional("ids") ?? reader.optional("text") else {
      throw GRAOError("\(what) needs 'ids' or 'text'")
    }
    let response = try Response(content, what)
    let encoded = try Convert.naming(what) { () throws(GRAOError) in try model.encode(response, after: prompt) }
    var sample = Group.Sample(ids: encoded.ids, mask: encoded.mask)
    sample.reward = try reader.optionalNumber("reward")
    if reader.has("logprobs") { sample.logprobs = try reader.numbers("logprobs").map(Float.init) }
    if reader.has("mask") { sample.mask = try mask(reader, "mask") }
    sample.text = try reader.optionalString("text")
    sample.finishReason = try reader.optionalString("finish_reason").flatMap(FinishReason.init)
    sample.rewards = try numbers(reader, "rewards")
    sample.numbers = try numbers(reader, "numbers")
    return sample
  }

  private static func groupSchema(_ what: String) -> OptionSchema {
    OptionSchema(
      owner: what,
      [
        OptionDeclaration("prompt", .any, "string, ids or chat messages", required: true),
        OptionDeclaration("reference", .any, "string, ids or chat messages"),
        OptionDeclaration("reference_mask", .array(of: .number), "0 for tokens that are not trained on"),
        OptionDeclaration("reference_reward", .number, "of the reference"),
        OptionDeclaration("reference_rewards", .table, "each reward's own value of the reference"),
        OptionDeclaration("chosen", .any, "string, ids or chat messages, for dpo and reward"),
        OptionDeclaration("chosen_mask", .array(of: .number), "0 for tokens that are not trained on"),
        OptionDeclaration("rejected", .any, "string, ids or chat messages, for dpo and reward"),
        OptionDeclaration("rejected_mask", .array(of: .number), "0 for tokens that are not trained on"),
        OptionDeclaration("margin", .number, "by how much more the chosen should be scored, for reward"),
        OptionDeclaration("row", .table, "the dataset row it was made from"),
        OptionDeclaration("samples", .array(), default: [], "completions"),
      ])
  }

  private static func sampleSchema(_ what: String) -> OptionSchema {
    OptionSchema(
      owner: what,
      [
        OptionDeclaration("ids", .array(of: .integer), "tokens of the completion"),
        OptionDeclaration("text", .string, "the completion, where ids are not given"),
        OptionDeclaration("reward", .number, "without one the sample is left out"),
        OptionDeclaration("rewards", .table, "each reward's own value"),
        OptionDeclaration("numbers", .table, "what rewards log besides"),
        OptionDeclaration("logprobs", .array(of: .number), "the behaviour policy's"),
        OptionDeclaration("mask", .array(of: .number), "0 for tokens that are not trained on"),
        OptionDeclaration("finish_reason", .string, "why it ended", choices: ["stop", "length"]),
      ])
  }
}
