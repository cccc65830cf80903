import Alignment
import Testing
import Values

private func values(_ schedule: Schedule, steps: Int) throws -> [Double] {
  try (1...steps).map { try schedule.value(at: ScheduleState(step: $0, steps: steps), option: "x") }
}

struct SchedulesTests {
  @Test func linearAndCosineMeetTheirEnds() throws {
    #expect(try values(.linear(from: 1, to: 0), steps: 5) == [1, 0.75, 0.5, 0.25, 0])
    let cosine = try values(.cosine(from: 3, to: 1), steps: 5)
    let root = 0.5.squareRoot()
    expectClose(cosine, [3, 2 + root, 2, 2 - root, 1], within: 1e-15)
    for schedule in [Schedule.linear(from: 0.1, to: 0.7), .cosine(from: 0.1, to: 0.7)] {
      let values = try values(schedule, steps: 7)
      #expect(values.first == 0.1 && values.last == 0.7)
    }
  }

  @Test func aRunOfOneStepAndOneWithoutEndStayAtTheStart() throws {
    #expect(try values(.linear(from: 2, to: 3), steps: 1) == [2])
    let endless = ScheduleState(step: 1000, steps: nil)
    #expect(endless.progress == 0)
    #expect(try Schedule.cosine(from: 2, to: 3).value(at: endless, option: "x") == 2)
    // Driven past its end, a run stays there.
    #expect(ScheduleState(step: 12, steps: 10).progress == 1)
  }

  @Test func warmupScalesItsSchedule() throws {
    #expect(try values(.warmup(steps: 4, .constant(2)), steps: 6) == [0.5, 1, 1.5, 2, 2, 2])
    #expect(try values(.warmup(steps: 0, .constant(2)), steps: 2) == [2, 2])
    #expect(try values(.warmup(steps: 2, .linear(from: 1, to: 0)), steps: 5) == [0.5, 0.75, 0.5, 0.25, 0])
    var nested = Schedule.constant(1)
    for _ in 1...64 { nested = .warmup(steps: 1, nested) }
    try nested.validate(option: "x")
    let error = try #require(throws: GRAOError.self) { try Schedule.warmup(steps: 1, nested).validate(option: "x") }
    #expect(error.message == "option 'x': more than 64 warmups one in the other")
  }

  @Test func piecewiseTakesTheLastPointReached() throws {
    let schedule = Schedule.piecewise([(step: 2, value: 5), (step: 4, value: 7)])
    #expect(try values(schedule, steps: 5) == [5, 5, 5, 7, 7])
  }

  @Test func aCustomScheduleSeesTheState() throws {
    let schedule = Schedule.custom(name: "f") { state in
      Double(state.step) + (state.metrics["reward"]?.number ?? 0)
    }
    let state = ScheduleState(step: 3, steps: 4, metrics: Table([("reward", 0.5)]))
    #expect(try schedule.value(at: state, option: "x") == 3.5)
    struct Mine: Error {}
    #expect(throws: Mine.self) {
      try Schedule.warmup(steps: 9, .custom(name: "g") { _ in throw Mine() }).value(at: state, option: "x")
    }
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func aValueThatIsNotFiniteNamesOptionAndStep(value: Double) throws {
    let schedule = Schedule.custom(name: "f") { $0.step < 3 ? 1 : value }
    let error = try #require(throws: GRAOError.self) {
      try schedule.value(at: ScheduleState(step: 3, steps: 5), option: "weights.imitation")
    }
    #expect(
      error.message
        == "option 'weights.imitation': its schedule gives \(value) at step 3, not a finite number")
  }

  @Test func whatCannotBeAScheduleIsFoundBeforeTheRun() throws {
    let wrong: [(Schedule, String)] = [
      (.constant(.nan), "a schedule cannot have the value nan"),
      (.linear(from: 1, to: .infinity), "a schedule cannot have the value inf"),
      (.warmup(steps: -1, .constant(1)), "a warmup cannot take -1 steps"),
      (.warmup(steps: 1, .cosine(from: .nan, to: 1)), "a schedule cannot have the value nan"),
      (.piecewise([]), "a piecewise schedule without points"),
      (
        .piecewise([(step: 3, value: 1), (step: 3, value: 2)]),
        "the steps of a piecewise schedule must rise, but 3 follows 3"
      ),
      (.piecewise([(step: 1, value: .nan)]), "a schedule cannot have the value nan"),
    ]
    for (schedule, message) in wrong {
      let error = try #require(throws: GRAOError.self) { try schedule.validate(option: "x") }
      #expect(error.message == "option 'x': " + message)
    }
    try Schedule.piecewise([(step: 1, value: 1), (step: 2, value: 0)]).validate(option: "x")
  }

  @Test func optionsBecomeSchedules() throws {
    final class Source: ScheduleSource { let schedule = Schedule.linear(from: 1, to: 2) }
    #expect(try Schedule(3, owner: "f", option: "x").description == 3)
    #expect(
      try Schedule(.object(Source()), owner: "f", option: "x").description
        == ["schedule": "linear", "from": 1, "to": 2])
    let error = try #require(throws: GRAOError.self) { try Schedule("3", owner: "f", option: "x") }
    #expect(error.message == "f: option 'x' must be a number or a schedule, not a string")
    #expect(throws: GRAOError.self) { try Schedule(.number(.nan), owner: "f", option: "x") }
  }

  @Test func descriptionsAreRecorded() throws {
    let schedule = Schedule.warmup(steps: 2, .piecewise([(step: 1, value: 0.5)]))
    #expect(
      try JSON.print(schedule.description)
        == #"{"schedule": "warmup", "steps": 2, "then": {"schedule": "piecewise", "points": [[1, 0.5]]}}"#)
  }
}
