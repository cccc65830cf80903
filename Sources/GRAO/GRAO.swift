// The engine for Swift programs: models, sampling, datasets, rewards and training, without Lua.
//
//     import GRAO
//
// gives everything that is public in the rooms below; the names are those of the script API in Swift's spelling.

@_exported import Alignment
@_exported import Data
import Kernels
@_exported import Runs
@_exported import Sampling
@_exported import Tokenizers
@_exported import Values

@_exported import enum Checkpoints.ElementType
@_exported import enum Checkpoints.GGUFElementType
@_exported import enum Kernels.ComputeType

/// The engine.
public enum Engine {
  public static let version = "0.1.0"

  /// Chooses the kernels for this CPU, or those that GRAO_KERNELS and GRAO_GRADIENTS name. Without this call the best
  /// ones are used; it says what is wrong with the environment.
  public static func setUp() throws(GRAOError) { try Machine.setUp() }

  /// Threads that compute, the caller's included. All cores by default. Results do not depend on it.
  public static var threads: Int {
    get { Machine.threads }
    set { Machine.threads = newValue }
  }
}

/// Trains a model in place, to the end.
/// - Parameters:
///   - recorder: shows progress and writes the run directory; by default a bar or lines on standard error.
/// - Returns: the last step's metrics, and `steps`, how many were made.
@discardableResult
public func train(_ model: Model, _ options: TrainingOptions, recorder: RunRecorder? = nil) throws -> Table {
  let recorder = recorder ?? RunRecorder(progress: StandardError.reporter())
  defer { recorder.finish() }
  return try Trainer(model, options).run(observer: recorder)
}
