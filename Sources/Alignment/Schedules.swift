import Foundation
import Values

/// A number that may change over a run: a learning rate, the weight of a part or of a reward.
public indirect enum Schedule {
  case constant(Double)
  /// In a straight line from `from` at the first step to `to` at the last.
  case linear(from: Double, to: Double)
  /// Along half a cosine from `from` at the first step to `to` at the last.
  case cosine(from: Double, to: Double)
  /// A schedule times step / steps in the first `steps` steps.
  case warmup(steps: Int, Schedule)
  /// The value of the last point whose step has come; before the first point its value.
  case piecewise([(step: Int, value: Double)])
  /// A function of the user's; `name` tells it in the run's record.
  case custom(name: String, (ScheduleState) throws -> Double)

  /// The value at a step. An error names the option and the step where the value is not a finite number; what a
  /// custom function throws is passed on.
  public func value(at state: ScheduleState, option: String) throws -> Double {
    if let given = state.given?.values[option] { return given }
    let value: Double
    do { value = try rawValue(at: state) } catch let error as GRAOError {
      throw GRAOError("option '\(option)': its schedule fails at step \(state.step): \(error.message)")
    }
    guard value.isFinite else {
      throw GRAOError("option '\(option)': its schedule gives \(value) at step \(state.step), not a finite number")
    }
    state.given?.values[option] = value
    return value
  }

  private func rawValue(at state: ScheduleState) throws -> Double {
    switch self {
    case .constant(let value): return value
    case .linear(let from, let to): return from * (1 - state.progress) + to * state.progress
    case .cosine(let from, let to):
      let share = (1 + cos(.pi * state.progress)) / 2
      return from * share + to * (1 - share)
    case .warmup(let steps, let schedule):
      let value = try schedule.rawValue(at: state)
      return state.step < steps ? value * Double(state.step) / Double(steps) : value
    case .piecewise(let points):
      return points.last { $0.step <= state.step }?.value ?? points.first?.value ?? .nan
    case .custom(_, let function): return try function(state)
    }
  }

  /// Checks what can be known before the run: numbers that are not finite, points out of order.
  public func validate(option: String) throws(GRAOError) {
    func check(_ value: Double) throws(GRAOError) {
      guard value.isFinite else { throw GRAOError("option '\(option)': a schedule cannot have the value \(value)") }
    }
    switch self {
    case .constant(let value): try check(value)
    case .linear(let from, let to), .cosine(let from, let to):
      try check(from)
      try check(to)
    case .warmup(let steps, let schedule):
      guard nesting <= Self.deepest else {
        throw GRAOError("option '\(option)': more than \(Self.deepest) warmups one in the other")
      }
      guard steps >= 0 else { throw GRAOError("option '\(option)': a warmup cannot take \(steps) steps") }
      try schedule.validate(option: option)
    case .piecewise(let points):
      guard !points.isEmpty else { throw GRAOError("option '\(option)': a piecewise schedule without points") }
      for (point, next) in zip(points, points.dropFirst()) where next.step <= point.step {
        throw GRAOError(
          "option '\(option)': the steps of a piecewise schedule must rise, but \(next.step) follows \(point.step)")
      }
      for point in points { try check(point.value) }
    case .custom: return
    }
  }

  /// Warmups one in the other, at most.
  private static let deepest = 64

  private var nesting: Int {
    var (depth, inner) = (0, self)
    while case .warmup(_, let next) = inner { (depth, inner) = (depth + 1, next) }
    return depth
  }

  /// What the run's record says of it: a number, or a table with the kind and its parameters.
  public var description: Value {
    switch self {
    case .constant(let value): .number(value)
    case .linear(let from, let to): ["schedule": "linear", "from": .number(from), "to": .number(to)]
    case .cosine(let from, let to): ["schedule": "cosine", "from": .number(from), "to": .number(to)]
    case .warmup(let steps, let schedule):
      ["schedule": "warmup", "steps": .integer(steps), "then": schedule.description]
    case .piecewise(let points):
      ["schedule": "piecewise", "points": .array(points.map { [.integer($0.step), .number($0.value)] })]
    case .custom(let name, _): ["schedule": "custom", "name": .string(name)]
    }
  }
}

/// What a schedule or a curriculum knows of the run.
public struct ScheduleState {
  /// From 1.
  public var step: Int
  /// The number of steps of the run; nil where it is driven by hand, without an end.
  public var steps: Int?
  /// From 0 at the first step to 1 at the last; 0 without an end.
  public var progress: Double
  /// The metrics of the last step; empty at the first.
  public var metrics: Table
  /// Where a trainer asks: a step's values.
  var given: ScheduleValues?

  /// - Parameters:
  ///   - step: from 1.
  ///   - steps: of the whole run; nil where that is not known.
  public init(step: Int, steps: Int?, metrics: Table = Table()) {
    self.step = step
    self.steps = steps
    self.metrics = metrics
    progress = steps.map { $0 > 1 ? min(1, max(0, Double(step - 1) / Double($0 - 1))) : 0 } ?? 0
  }
}

/// What schedules have given at one step, by option: each is asked once, so that metrics tell what was used.
final class ScheduleValues {
  var values: [String: Double] = [:]
}

/// A host object of a script that is a schedule: a `grao.schedule` value, a function, a plugin.
public protocol ScheduleSource: AnyObject {
  /// What it is to the engine.
  var schedule: Schedule { get }
}

extension Schedule {
  /// The schedule that an option's value is: a number, or a host object that is a schedule.
  public init(_ value: Value, owner: String, option: String) throws(GRAOError) {
    if let number = value.number {
      self = .constant(number)
    } else if let source = value.object as? any ScheduleSource {
      self = source.schedule
    } else {
      throw GRAOError("\(owner): option '\(option)' must be a number or a schedule, not \(value.kind)")
    }
    try validate(option: option)
  }
}
