/// How far a run has come, as a person sees it.
public struct RunProgress: Sendable, Equatable {
  /// From 1.
  public var step: Int
  /// The run's number of steps; nil where it has no end.
  public var steps: Int?
  /// The step's mean reward; nil where the method has none.
  public var reward: Double?
  /// The step's.
  public var loss: Double?
  /// Of the step, rollout and updates together.
  public var tokensPerSecond: Double?
  /// To the end of the run; nil where it has none.
  public var secondsLeft: Double?

  /// - Parameter step: from 1.
  public init(
    step: Int, steps: Int?, reward: Double? = nil, loss: Double? = nil, tokensPerSecond: Double? = nil,
    secondsLeft: Double? = nil
  ) {
    self.step = step
    self.steps = steps
    self.reward = reward
    self.loss = loss
    self.tokensPerSecond = tokensPerSecond
    self.secondsLeft = secondsLeft
  }
}

/// Shows a run's progress to someone.
public protocol ProgressReporter: AnyObject {
  /// After each step.
  func report(_ progress: RunProgress)
  /// Before something else writes to the terminal.
  func clear()
  /// At the end of the run, however it ends.
  func finish()
}

/// The time left, from the mean time of the last steps.
public struct StepTimes: Sendable {
  private static let window = 10
  private var recent: [Double] = []

  /// Of a run that has made no step.
  public init() {}

  /// A step took this many seconds.
  public mutating func add(_ seconds: Double) {
    recent.append(seconds)
    if recent.count > Self.window { recent.removeFirst() }
  }

  /// Seconds that this many steps will take; nil before the first step has been timed.
  public func seconds(for steps: Int) -> Double? {
    recent.isEmpty ? nil : recent.reduce(0, +) / Double(recent.count) * Double(max(steps, 0))
  }
}
