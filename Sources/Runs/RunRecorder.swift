import Alignment
import Values

/// Follows a training run: its directory on disk, where it has one, and its progress before a person's eyes.
public final class RunRecorder: TrainingObserver {
  private let progress: (any ProgressReporter)?
  private let script: (name: String, content: [UInt8])?
  private var directory: RunDirectory?
  /// Of the run that has begun and not ended.
  private var trainer: Trainer?
  private var totalSteps = 0
  private var times = StepTimes()
  private var rollout = (tokens: 0, seconds: 0.0)
  private var tokens = 0

  /// - Parameter script: copied into the run directory.
  public init(progress: (any ProgressReporter)?, script: (name: String, content: [UInt8])? = nil) {
    self.progress = progress
    self.script = script
  }

  public func begins(_ trainer: Trainer) throws {
    totalSteps = trainer.totalSteps
    tokens = trainer.state.tokens
    self.trainer = trainer
    guard let path = trainer.options.runDirectory else { return }
    directory = try RunDirectory(creating: path, script: script, options: trainer.options.record)
  }

  public func stepped(_ metrics: Table) throws {
    try directory?.append(metrics)
    let seconds = metrics["step_time"]?.number ?? 0
    let total = metrics["num_tokens"]?.integer ?? 0
    let step = metrics["step"]?.integer ?? 0
    times.add(seconds)
    if total > tokens { rollout = (total - tokens, 0) }
    rollout.seconds += seconds
    tokens = total
    progress?.report(
      RunProgress(
        step: step, steps: totalSteps, reward: metrics["reward"]?.number, loss: metrics["loss"]?.number,
        tokensPerSecond: rollout.seconds > 0 ? Double(rollout.tokens) / rollout.seconds : Optional.none,
        secondsLeft: times.seconds(for: totalSteps - step)))
  }

  public func ends(_ trainer: Trainer) throws {
    self.trainer = nil
    guard let directory else { return }
    try trainer.model.save(directory.modelPath)
  }

  /// Call it where a signal has ended the run: the directory gets the model as the last whole step left it.
  /// - Returns: where the model is; nil without a directory or a step.
  @discardableResult
  public func interrupted() throws -> String? {
    guard let directory, let trainer, trainer.state.step > 0 else { return nil }
    try trainer.model.save(directory.interruptedPath)
    return directory.interruptedPath
  }

  /// Leaves the terminal clean: call it however the run ended.
  public func finish() { progress?.finish() }
}
