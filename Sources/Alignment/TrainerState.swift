import Values

/// All that a trainer needs to go on from where it stands, besides the weights and the optimizer's moments.
public struct TrainerState {
  /// Optimizer steps made.
  public internal(set) var step = 0
  /// Rollouts made; each names random streams of its own.
  public internal(set) var rollouts = 0
  /// Tokens of prompts and completions trained on.
  public internal(set) var tokens = 0
  /// The last step's.
  public internal(set) var metrics = Table()
  /// By row of the dataset; a row that was never drawn has none.
  public internal(set) var history: [Int: RowHistory] = [:]
  /// Where the data order stands; nil with a curriculum, whose order follows from the step.
  public internal(set) var order: EpochOrder?
}
