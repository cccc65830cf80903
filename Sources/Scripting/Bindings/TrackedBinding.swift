import GRAO
import Values

/// Tracked values as objectives in Lua compute with them: operators, methods, and the group that they begin with.
enum TrackedBinding {
  static func register(in state: LuaState) throws {
    try state.register(tracked)
  }

  private static var tracked: LuaClass<TrackedValue> {
    let made = LuaClass<TrackedValue>("grao.tracked")
      .description { "tracked " + $0.shape.words }
      .metamethod("__add") { call in try binary(call, +) }
      .metamethod("__sub") { call in try binary(call, -) }
      .metamethod("__mul") { call in try binary(call, *) }
      .metamethod("__div") { call in try binary(call, /) }
      .metamethod("__unm") { call in .object(try operand(call, 1).negated()) }
      .method("exp") { value, _ in [.object(value.exponential())] }
      .method("log") { value, _ in [.object(value.logarithm())] }
      .method("sigmoid") { value, _ in [.object(value.logistic())] }
      .method("log_sigmoid") { value, _ in [.object(value.logLogistic())] }
      .method("detach") { value, _ in [.object(value.detached())] }
      .method("sum") { value, _ in [.object(value.sum())] }
      .method("mean") { value, _ in [.object(value.mean())] }
      .method("min") { value, call in [.object(try value.min(operand(call, 1)))] }
      .method("max") { value, call in [.object(try value.max(operand(call, 1)))] }
      .method("clamp") { value, call in
        [.object(value.clamped(try bound(call, 1), try bound(call, 2)))]
      }
      .method("where") { value, call in [.object(try value.choosing(operand(call, 1), operand(call, 2)))] }
      .method("numbers") { value, _ in
        if case .scalar = value.shape { return [.number(value.numbers[0])] }
        return [.array(value.numbers.map { .number($0) })]
      }
    let comparisons: [(name: String, holds: (Double, Double) -> Bool)] = [
      ("gt", { $0 > $1 }), ("ge", { $0 >= $1 }), ("lt", { $0 < $1 }), ("le", { $0 <= $1 }), ("eq", { $0 == $1 }),
      ("ne", { $0 != $1 }),
    ]
    for (name, holds) in comparisons {
      made.method(name) { value, call in [.object(try value.compared(operand(call, 1), name, holds))] }
    }
    return made
  }

  private static func binary(
    _ call: LuaCall, _ combine: (TrackedValue, TrackedValue) throws(GRAOError) -> TrackedValue
  ) throws -> Value {
    .object(try combine(operand(call, 1), operand(call, 2)))
  }

  /// A tracked value, or a number.
  private static func operand(_ call: LuaCall, _ number: Int) throws(GRAOError) -> TrackedValue {
    if let value = call[number].object as? TrackedValue { return value }
    guard let constant = call[number].number else {
      throw call.failure(number, expected: "a tracked value or a number")
    }
    return TrackedValue(constant: constant)
  }

  private static func bound(_ call: LuaCall, _ number: Int) throws(GRAOError) -> Double? {
    call[number].isNull ? nil : try call.number(number)
  }

  /// A group as an objective gets it: `samples`, `reference`, `chosen`, `rejected`, each with `logp`, `old_logp`,
  /// `ref_logp` (per token), `logps`, `old_logps`, `ref_logps` (their sums, per sequence), `reward`, `advantage`,
  /// `length`, `count`.
  static func value(_ group: TrackedGroup) -> Value {
    var table = Table()
    table["samples"] = group.samples.map(value)
    table["reference"] = group.reference.map(value)
    table["chosen"] = group.chosen.map(value)
    table["rejected"] = group.rejected.map(value)
    return .table(table)
  }

  private static func value(_ sequences: TrackedSequences) -> Value {
    var table = Table()
    for (name, value) in [
      ("logp", sequences.logp), ("old_logp", sequences.oldLogp), ("ref_logp", sequences.frozenLogp),
      ("logps", sequences.logp.sum()), ("old_logps", sequences.oldLogp.sum()),
      ("ref_logps", sequences.frozenLogp?.sum()), ("reward", sequences.reward), ("advantage", sequences.advantage),
      ("length", sequences.length),
    ] {
      table[name] = value.map(Value.object)
    }
    table["count"] = .integer(sequences.count)
    return .table(table)
  }

  /// What an objective returned: the loss, and perhaps a table of numbers to record by name.
  static func read(_ results: [Value], of what: String) throws(GRAOError) -> (
    loss: TrackedValue, parts: [(name: String, value: TrackedValue)]
  ) {
    func single(_ value: Value, _ name: String) throws(GRAOError) -> TrackedValue {
      if let tracked = value.object as? TrackedValue { return tracked }
      guard let number = value.number else {
        throw GRAOError("\(what) returned \(value.kind) for \(name), expected a tracked value or a number")
      }
      return TrackedValue(constant: number)
    }
    let loss = try single(results.first ?? .null, "the loss")
    var parts: [(name: String, value: TrackedValue)] = []
    if results.count > 1, !results[1].isNull {
      guard let table = results[1].table else {
        throw GRAOError("\(what) returned \(results[1].kind) after the loss, expected a table of numbers by name")
      }
      for (name, value) in table { parts.append((name, try single(value, "'\(name)'"))) }
    }
    return (loss, parts)
  }
}
