import Sampling
import Values

extension StagedTraining {
  /// What a script's `grao.train { stages = { … } }` asks for: the options beside `stages` hold for every stage that does
  /// not give its own. With a `run_dir` each stage has a folder of its own in it.
  public static func read(_ table: Table) throws(GRAOError) -> StagedTraining {
    guard let given = table["stages"]?.array else {
      throw GRAOError(
        "grao.train: option 'stages' must be an array of tables, not \(table["stages"]?.kind ?? "nothing")")
    }
    var common = table
    common["stages"] = nil
    var stages: [TrainingStage] = []
    var model: Model?
    for (index, value) in given.enumerated() {
      guard var own = value.table else {
        throw GRAOError("grao.train: option 'stages[\(index + 1)]' must be a table, not \(value.kind)")
      }
      let given = own["name"]?.unlessNull
      guard let name = given == nil ? "stage\(index + 1)" : given?.string else {
        throw GRAOError(
          "grao.train: option 'stages[\(index + 1)].name' must be a string, not \(given?.kind ?? "nothing")")
      }
      own["name"] = nil
      if own["model"] != nil {
        throw GRAOError("grao.train: option 'stages[\(index + 1)].model' is not allowed: all stages train one model")
      }
      var merged = common
      for (key, value) in own { merged[key] = value }
      if own["run_dir"] == nil, let folder = common["run_dir"]?.string {
        merged["run_dir"] = .string("\(folder)/\(index + 1)-\(name)")
      }
      do {
        let read = try TrainingOptions.read(merged)
        model = read.model
        stages.append(TrainingStage(name: name, options: read.options))
      } catch {
        throw GRAOError("stage '\(name)': \(error.message)")
      }
    }
    guard let model else { throw GRAOError("grao.train: option 'stages' is empty: at least one is needed") }
    return try StagedTraining(model, stages)
  }
}
