import GRAO
import Values

/// Values of scripts as the engine's types, and back.
enum Convert {
  /// Says in an error which of many things it is about.
  static func naming<T>(_ what: String, _ body: () throws(GRAOError) -> T) throws(GRAOError) -> T {
    do { return try body() } catch { throw GRAOError("\(what): \(error.message)") }
  }

  static func value(_ ids: [Int32]) -> Value { .array(ids.map { .integer(Int($0)) }) }
  static func mask(_ mask: [Bool]) -> Value { .array(mask.map { .integer($0 ? 1 : 0) }) }
  static func value(_ numbers: [Float]) -> Value { .array(numbers.map { .number(Double($0)) }) }

  static func value(_ completion: Completion) -> Value {
    var table = Table()
    table["text"] = completion.text.map(Value.string)
    table["ids"] = value(completion.ids)
    table["logprobs"] = value(completion.logprobs)
    table["finish_reason"] = .string(completion.finishReason.rawValue)
    return .table(table)
  }

  /// What a reward function gets.
  static func value(_ sample: RewardSample) -> Value {
    var table = Table(capacity: 8)
    table["prompt"] = sample.prompt.map(Value.string)
    table["completion"] = sample.completion.map(Value.string)
    table["reference"] = sample.reference.map(Value.string)
    table["ids"] = value(sample.ids)
    table["finish_reason"] = .string(sample.finishReason.rawValue)
    table["row"] = .table(sample.row)
    table["step"] = .integer(sample.step)
    table["is_reference"] = .boolean(sample.isReference)
    return .table(table)
  }

  /// What schedules, curricula and `on_step` get.
  static func value(_ state: ScheduleState) -> Value {
    var table = Table()
    table["step"] = .integer(state.step)
    table["steps"] = state.steps.map { .integer($0) }
    table["progress"] = .number(state.progress)
    table["metrics"] = .table(state.metrics)
    return .table(table)
  }
}
