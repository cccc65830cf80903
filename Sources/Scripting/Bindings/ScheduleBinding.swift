import GRAO
import Values

/// A `grao.schedule` value.
final class ScheduleValue: ScheduleSource {
  let schedule: Schedule
  init(_ schedule: Schedule) { self.schedule = schedule }
}

/// Schedules as scripts make them.
enum ScheduleBinding {
  static var scheduleClass: LuaClass<ScheduleValue> { LuaClass<ScheduleValue>("grao.schedule") }

  /// `grao.schedule`: constant(v), linear(from, to), cosine(from, to), warmup(steps, schedule), piecewise({ { step,
  /// value }, … }).
  static var module: Value {
    let functions: [(String, (LuaCall) throws -> Schedule)] = [
      ("constant", { .constant(try $0.number(1)) }),
      ("linear", { .linear(from: try $0.number(1), to: try $0.number(2)) }),
      ("cosine", { .cosine(from: try $0.number(1), to: try $0.number(2)) }),
      (
        "warmup",
        { call in
          .warmup(
            steps: try call.integer(1), try Schedule(call[2], owner: call.name, option: "argument 2"))
        }
      ),
      ("piecewise", { .piecewise(try $0.array(1).enumerated().map(point)) }),
    ]
    return .table(
      Table(
        functions.map { name, make in
          let fullName = "grao.schedule." + name
          let function = HostFunction(fullName) { call in
            let schedule = try make(call)
            try schedule.validate(option: fullName)
            return [.object(ScheduleValue(schedule))]
          }
          return (name, .object(function))
        }))
  }

  private static func point(_ index: Int, _ value: Value) throws(GRAOError) -> (step: Int, value: Double) {
    guard let pair = value.array, pair.count == 2, let step = pair[0].integer, let number = pair[1].number else {
      throw GRAOError("grao.schedule.piecewise: point \(index + 1) must be { step, value }, two numbers")
    }
    return (step, number)
  }
}
