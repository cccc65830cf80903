import Alignment
import Data
import Sampling
import TestSupport
import Testing
import Values

extension TrainerSuite {
  /// Continual learning: stages on one model.
  @Suite struct Stages {
    private static func stage(_ name: String, _ target: Int32) throws -> TrainingStage {
      let share = Reward("share") { sample in
        Double(sample.ids.count { $0 == target }) / Double(sample.ids.count)
      }
      var options = TrainingOptions(method: .sft)
      options.rewards = [share]
      let answers = rows(4).map { row in
        var row = row
        row["reference"] = [.integer(Int(target)), .integer(Int(target))]
        return row
      }
      options.data = try Dataset(rows: answers, source: "answers")
      options.evaluationData = options.data
      options.promptsPerStep = 4
      options.sampling.maxNewTokens = 2
      options.optimizer.learningRate = .constant(0.01)
      options.steps = 20
      return TrainingStage(name: name, options: options)
    }

    @Test func everyStageIsEvaluatedAfterEach() throws {
      let model = try Model.fixture("llama")
      var seen: [Int] = []
      let staged = try StagedTraining(model, [Self.stage("first", 7), Self.stage("second", 8)])
      let matrix = try staged.run(finished: { seen.append($0.rows.count) })
      #expect(seen == [1, 2, 3] && matrix.names == ["first", "second"])
      let rows = try matrix.rows.map { try $0.map { try #require($0) } }
      // The first stage learns to say 7; the second to say 8, and forgets.
      #expect(rows[1][0] > rows[0][0] + 0.3)
      #expect(rows[2][1] > rows[1][1] + 0.3)
      #expect(rows[2][0] < rows[1][0])
      #expect(matrix.forgetting[1] == 0)
    }

    @Test func forgettingIsTheFallFromTheBest() throws {
      let model = try Model.fixture("llama")
      let staged = try StagedTraining(model, [Self.stage("a", 7), Self.stage("b", 8)])
      let matrix = try staged.run()
      let rows = try matrix.rows.map { try $0.map { try #require($0) } }
      #expect(matrix.forgetting[0] == rows[1][0] - rows[2][0])
      #expect(matrix.table["after"]?["a"]?["b"] == .number(rows[1][1]))
      let lines = matrix.text.split(separator: "\n")
      #expect(lines.count == 5 && lines[0].hasPrefix("held-out reward of"))
      #expect(lines[1].hasPrefix("before") && lines[3].hasPrefix("after b") && lines[4].hasPrefix("forgotten"))
      #expect(Set(lines.map(\.count)).count == 1)
    }

    @Test func wrongStagesSaySo() throws {
      let model = try Model.fixture("llama")
      func read(_ stages: Value, _ more: KeyValuePairs<String, Value> = [:]) throws -> String {
        var table = Table([("model", .object(model)), ("method", "sft"), ("stages", stages)])
        for (key, value) in more { table[key] = value }
        return try message { try StagedTraining.read(table) }
      }
      #expect(try read(3) == "grao.train: option 'stages' must be an array of tables, not an integer")
      #expect(try read([3]) == "grao.train: option 'stages[1]' must be a table, not an integer")
      #expect(
        try read([["steps": 1], ["name": 7]])
          == "grao.train: option 'stages[2].name' must be a string, not an integer")
      #expect(
        try read([["name": "a"], ["name": "a"]]) == "grao.train: option 'stages' has two stages named 'a'")
      #expect(
        try read([["name": "a", "stepz": 1]])
          == "stage 'a': grao.train: unknown option 'stepz' (did you mean 'steps'?)")
      #expect(
        try read([["model": .object(model)]])
          == "grao.train: option 'stages[1].model' is not allowed: all stages train one model")
      let table: Table = ["model": .object(model), "method": "sft", "stages": [["steps": 1]]]
      #expect(try message { try TrainingOptions.read(table) }.contains("option 'stages' is for grao.train"))
    }

    @Test func stagesInheritWhatStandsBesideThem() throws {
      let model = try Model.fixture("llama")
      let staged = try StagedTraining.read(
        [
          "model": .object(model), "method": "sft", "steps": 3, "run_dir": "runs/x",
          "stages": [["name": "a"], ["method": "dpo", "steps": 5]],
        ])
      #expect(staged.stages.map(\.name) == ["a", "stage2"])
      #expect(staged.stages.map(\.options.steps) == [3, 5])
      #expect(staged.stages.map(\.options.method) == [.sft, .dpo])
      #expect(staged.stages.map(\.options.runDirectory) == ["runs/x/1-a", "runs/x/2-stage2"])
    }
  }
}
