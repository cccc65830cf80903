import GRAO
import Values

// A function of a script, in each of the roles that the engine has for one.

extension LuaFunction: RewardScorer {
  package func score(_ samples: [RewardSample]) -> [Result<RewardScore, any Error>] {
    samples.map { sample in Result { try reading.score(try call([Convert.value(sample)])) } }
  }

  private var reading: ScoreReading {
    ScoreReading(failure: { self.unexpected("a reward function", $0, $1) }, expectedScore: "a number or nil")
  }
}

extension LuaFunction: ScheduleSource {
  package var schedule: Schedule {
    .custom(name: "function") { state in
      try self.number(self.call([Convert.value(state)]), of: "a schedule function")
    }
  }
}

extension LuaFunction: Curriculum {
  package func weights(of rows: [Table], at state: ScheduleState) throws -> [Double] {
    guard let lua = self.state else { return [] }
    let function = try lua.wrap(self, in: RowWeights.wrapper)
    let state = Convert.value(state)
    return try RowWeights.inParts(rows.map(Value.table)) { part in
      let weights = try function.call([.array(part), state]).first?.array ?? []
      return try weights.map { try number([$0], of: "a curriculum function") }
    }
  }
}

extension LuaFunction: ObjectiveFunction {
  package func loss(_ group: TrackedGroup) throws -> (
    loss: TrackedValue, parts: [(name: String, value: TrackedValue)]
  ) {
    try TrackedBinding.read(call([TrackedBinding.value(group)]), of: "the objective")
  }
}

extension LuaFunction: StepCallback {
  package func call(_ state: ScheduleState) throws -> Bool {
    let result: [Value] = try call([Convert.value(state)])
    return result.first != false
  }
}

extension LuaFunction {
  private func number(_ results: [Value], of what: String) throws -> Double {
    let result = results.first ?? .null
    guard let number = result.number else { throw unexpected(what, result, "a number") }
    return number
  }

  private func unexpected(_ what: String, _ found: Value, _ expected: String) -> GRAOError {
    GRAOError("\(what) returned \(found.kind), expected \(expected)")
  }
}
