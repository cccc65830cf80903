import Alignment
import Values

/// Follows a training run: its directory on disk, where it has one, and its progress before a person's eyes.
public final class RunRecorder: TrainingObserver {
  private let progress: (any ProgressReporter)?
  private let script: (name: String, content: [UInt8])?
  private var directory: RunDirectory?
  private var totalSteps = 0
  private var times = StepTimes()
  private var tokens = 0

  /// - Parameter script: copied into the run directory.
  public init(progress: (any ProgressReporter)?, script: (name: String, content: [UInt8])? = nil) {
    self.progress = progress
    self.script = script
  }

  public func begins(_ trainer: Trainer) throws {
    totalSteps = trainer.totalSteps
    guard let path = trainer.options.runDirectory else { return }
    directory = try RunDirectory(creating: path, script: script, options: trainer.options.record)
  }

  public func stepped(_ metrics: Table) throws {
    try directory?.append(metrics)
    let seconds = metrics["step_time"]?.number ?? 0
    let total = metrics["num_tokens"]?.integer ?? 0
    let step = metrics["step"]?.integer ?? 0
    times.add(seconds)
    progress?.report(
      RunProgress(
        step: step, steps: totalSteps, reward: metrics["reward"]?.number, loss: metrics["loss"]?.number,
        tokensPerSecond: seconds > 0 ? Double(total - tokens) / seconds : Optional.none,
        secondsLeft: times.seconds(for: totalSteps - step)))
    tokens = total
  }

  public func ends(_ trainer: Trainer) throws {
    guard let directory else { return }
    try trainer.model.save(directory.modelPath)
  }

  /// Leaves the terminal clean: call it however the run ended.
  public func finish() { progress?.finish() }
}
