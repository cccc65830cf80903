import Data
import Sampling
import Values

/// One stage of continual learning: what is trained, and the rows that tell whether it is remembered.
public struct TrainingStage {
  public let name: String
  /// What the stage trains; its `evaluationData` tells later what is remembered.
  public let options: TrainingOptions

  /// - Parameter name: in metrics and messages.
  public init(name: String, options: TrainingOptions) {
    self.name = name
    self.options = options
  }
}

/// Stages one after another on one model, each with an optimizer of its own. After each, every stage's held-out rows are
/// evaluated with that stage's rewards, so that forgetting is seen.
public final class StagedTraining {
  public let model: Model
  /// In the order in which they are trained.
  public let stages: [TrainingStage]
  /// Called often while it works; throws to stop it.
  public var checkInterrupt: () throws -> Void = {}

  /// - Throws: where there is no stage, or two have one name.
  public init(_ model: Model, _ stages: [TrainingStage]) throws(GRAOError) {
    if stages.isEmpty { throw GRAOError("grao.train: option 'stages' is empty: at least one is needed") }
    var names = Set<String>()
    for stage in stages {
      guard names.insert(stage.name).inserted else {
        throw GRAOError("grao.train: option 'stages' has two stages named '\(stage.name)'")
      }
    }
    self.model = model
    self.stages = stages
  }

  /// - Parameters:
  ///   - observer: of the stage that begins.
  ///   - finished: told the matrix so far after each stage, and before the first.
  public func run(
    observer: (TrainingStage) -> (any TrainingObserver)? = { _ in nil },
    finished: (StageMatrix) throws -> Void = { _ in }
  ) throws -> StageMatrix {
    var matrix = StageMatrix(names: stages.map(\.name))
    matrix.rows.append(try evaluations())
    try finished(matrix)
    for stage in stages {
      let trainer = try Trainer(model, stage.options)
      trainer.checkInterrupt = checkInterrupt
      try trainer.run(observer: observer(stage))
      matrix.rows.append(try evaluations())
      try finished(matrix)
    }
    return matrix
  }

  /// The mean reward on each stage's held-out rows; nil where it has none.
  private func evaluations() throws -> [Double?] {
    try stages.map { stage in
      guard let rows = stage.options.evaluationData else { return nil }
      let result = try evaluate(model, on: rows, rewards: stage.options.rewards, stage.options.evaluation) { _ in
        try checkInterrupt()
      }
      return result["reward_mean"]?.number
    }
  }
}

/// What each stage's held-out rows earn before the first stage and after each.
public struct StageMatrix: Equatable {
  public let names: [String]
  /// [0: before the first, then after each stage][stage]; nil where a stage has no held-out rows.
  public internal(set) var rows: [[Double?]] = []

  init(names: [String]) { self.names = names }

  /// By how much each stage's reward fell from its best after it was trained to the end; nil for what was not measured.
  public var forgetting: [Double?] {
    names.indices.map { stage in
      let since = rows.dropFirst(stage + 1).compactMap { $0[stage] }
      guard let last = since.last, let best = since.max() else { return nil }
      return best - last
    }
  }

  /// A text table for people.
  public var text: String {
    let heads = ["held-out reward of"] + names
    let labels = ["before"] + names.map { "after \($0)" }
    var lines = [heads]
    for (label, row) in zip(labels, rows) { lines.append([label] + row.map(Self.words)) }
    if rows.count == names.count + 1 { lines.append(["forgotten"] + forgetting.map(Self.words)) }
    let widths = heads.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { line in
      line.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + padding : padding + cell
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }

  /// As scripts get it: `names`, `before`, `after` (by stage), `forgetting`; a stage without held-out rows has no number.
  public var table: Table {
    func named(_ row: [Double?]) -> Value {
      .table(Table(zip(names, row).compactMap { name, value in value.map { (name, .number($0)) } }))
    }
    var table = Table()
    table["names"] = .array(names.map(Value.string))
    table["before"] = rows.first.map(named) ?? .null
    table["after"] = .table(Table(zip(names, rows.dropFirst()).map { ($0, named($1)) }))
    table["forgetting"] = named(forgetting)
    return table
  }

  private static func words(_ value: Double?) -> String {
    guard let value else { return "–" }
    let thousandths = (value * 1000).rounded() / 1000
    let text = "\(abs(thousandths))"
    let point = text.firstIndex(of: ".") ?? text.endIndex
    let digits = text[point...].count - 1
    return (thousandths < 0 ? "-" : "") + text + String(repeating: "0", count: max(0, 3 - digits))
  }
}
